using System.IO.Compression;
using System.Text.Json;
using DmlPipeline.Learning.Weights;
using DmlPipeline.Torch;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Weights;

public sealed class WeightFileTests
{
    public static TheoryData<string> SoundFiles => [.. WeightFiles.Names.Where(name => !name.StartsWith("hostile", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(SoundFiles))]
    public void Every_tensor_is_what_pytorch_saved(string name)
    {
        using var scope = NewDisposeScope();
        using var expected = JsonDocument.Parse(File.ReadAllText(WeightFiles.PathOf("expected.json")));

        var (tensors, isOwn) = WeightFile.Read(WeightFiles.PathOf(name));

        isOwn.ShouldBeFalse();
        var wanted = expected.RootElement.GetProperty(name).EnumerateObject().ToList();
        tensors.Keys.ShouldBe(wanted.Select(tensor => tensor.Name), ignoreOrder: true);
        foreach (var tensor in wanted)
        {
            var found = tensors[tensor.Name];
            found.dtype.ToString().ShouldBe(tensor.Value.GetProperty("type").GetString(), tensor.Name);
            found.shape.ShouldBe(tensor.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()), tensor.Name);
            found.to(ScalarType.Float64).contiguous().data<double>().ToArray()
                .ShouldBe(tensor.Value.GetProperty("values").EnumerateArray().Select(value => value.GetDouble()), tensor.Name);
        }
    }

    [Fact]
    public void Tensors_that_share_a_storage_share_its_memory()
    {
        using var scope = NewDisposeScope();
        var (tensors, _) = WeightFile.Read(WeightFiles.PathOf("views.pth"));

        tensors["all"].zero_();

        foreach (var view in tensors.Values) view.abs().sum().item<float>().ShouldBe(0);
    }

    [Fact]
    public void Reading_leaves_no_tensor_behind_but_those_that_it_gives()
    {
        var before = LiveTensors.Settled();

        using (NewDisposeScope())
        {
            WeightFile.Read(WeightFiles.PathOf("views.pth")).Tensors.Count.ShouldBe(7);
            Should.Throw<WeightException>(() => WeightFile.Read(WeightFiles.PathOf("hostile-eval.pth")));
        }

        TorchRuntime.LiveTensors.ShouldBe(before);
    }

    [Fact]
    public void Safetensors_are_read_and_known_as_models_of_this_pipeline_by_their_specification()
    {
        using var scope = NewDisposeScope();
        var path = Path.GetTempFileName();
        try
        {
            foreach (var isOwn in new[] { false, true })
            {
                using (var file = File.Create(path))
                    Safetensors.Write(file, new Dictionary<string, Tensor> { ["w"] = ones(2) }, new Dictionary<string, string> { [isOwn ? "spec" : "format"] = "pt" });

                var read = WeightFile.Read(path);

                read.IsOwnModel.ShouldBe(isOwn);
                read.Tensors["w"].sum().item<float>().ShouldBe(2);
            }
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_file_that_is_not_there_is_named()
    {
        Should.Throw<WeightException>(() => WeightFile.Read("nowhere/weights.pth")).Message.ShouldContain("nowhere/weights.pth");
    }

    [Fact]
    public void A_flipped_bit_in_the_values_is_noticed()
    {
        var bytes = File.ReadAllBytes(WeightFiles.PathOf("state.pth"));
        // The first storage's values follow their entry's name and padding; any of them will do.
        var name = "state/data/0"u8;
        var start = bytes.AsSpan().IndexOf(name) + name.Length;
        bytes[start + 80] ^= 0x10;

        Should.Throw<WeightException>(() => WeightFile.Read(new MemoryStream(bytes))).Message.ShouldContain("checksum");
    }

    [Fact]
    public void Compressed_archives_are_refused_before_they_unfold()
    {
        var stream = new MemoryStream();
        using (var archive = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true))
        {
            using var entry = archive.CreateEntry("bomb/data.pkl").Open();
            entry.Write(new byte[1 << 20]);
        }
        stream.Position = 0;

        Should.Throw<WeightException>(() => WeightFile.Read(stream)).Message.ShouldContain("compressed");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(400)]
    public void What_is_no_file_of_weights_is_said_to_be_none(int length)
    {
        Should.Throw<WeightException>(() => WeightFile.Read(new MemoryStream(new byte[length])));
    }

    [Fact]
    public void Every_truncation_is_refused()
    {
        foreach (var name in new[] { "views.pth", "views-legacy.pth" })
        {
            var bytes = File.ReadAllBytes(WeightFiles.PathOf(name));
            for (var length = 0; length < bytes.Length; length += 7)
            {
                var error = Record.Exception(() => WeightFile.Read(new MemoryStream(bytes, 0, length)));
                (error is WeightException or InvalidDataException or EndOfStreamException).ShouldBeTrue($"{name} cut to {length} bytes: {error}");
            }
        }
    }
}
