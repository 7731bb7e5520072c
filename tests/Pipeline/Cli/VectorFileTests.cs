using System.Text;
using DmlPipeline.Cli.Images;

namespace DmlPipeline.Tests.Pipeline.Cli;

public sealed class VectorFileTests
{
    [Theory]
    [InlineData(1, 2)]
    [InlineData(3, 128)]
    [InlineData(100_000, 1)]
    public void A_numpy_file_has_an_aligned_header_and_the_values_after_it(int rows, int dimension)
    {
        var values = Enumerable.Range(0, rows * dimension).Select(i => i / 7f).ToArray();
        using var stream = new MemoryStream();

        Npy.Write(stream, new Embeddings(values, dimension));

        var file = stream.ToArray();
        file[..8].ShouldBe([0x93, .. "NUMPY"u8, 1, 0]);
        var length = file[8] | (file[9] << 8);
        ((10 + length) % 64).ShouldBe(0);
        var header = Encoding.ASCII.GetString(file, 10, length);
        header.ShouldContain($"'shape': ({rows}, {dimension})");
        header.ShouldContain("'descr': '<f4'");
        header.ShouldEndWith("\n");
        file.Length.ShouldBe(10 + length + (4 * values.Length));
        BitConverter.ToSingle(file, file.Length - 4).ShouldBe(values[^1]);
    }
}
