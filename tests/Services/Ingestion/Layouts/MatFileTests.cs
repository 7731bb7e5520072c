using DmlPipeline.Ingestion.Layouts.Matlab;

namespace DmlPipeline.Tests.Services.Ingestion.Layouts;

public sealed class MatFileTests
{
    private static readonly byte[] Sound = MatWriter.File(MatWriter.Compressed(MatWriter.Struct(
        ["path", "class"], [[MatWriter.Text("a.jpg"), MatWriter.Number(1)], [MatWriter.Text("b.jpg"), MatWriter.Number(1e6)]], "cars")));

    [Fact]
    public void A_file_that_scipy_wrote_is_read()
    {
        var variables = MatFile.Read(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Ingestion", "Layouts", "Fixtures", "cars-scipy.mat")));

        var cars = variables["annotations"].ShouldBeOfType<MatValue.Struct>().Fields;
        cars.Keys.ShouldBe(["relative_im_path", "bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "test"]);
        cars["relative_im_path"].Select(Text).ShouldBe(["car_ims/000001.jpg", "car_ims/000002.jpg", "car_ims/000003.jpg", "car_ims/000004.jpg"]);
        cars["class"].Select(Number).ShouldBe([1, 1, 2, 2]);
        cars["test"].Select(Number).ShouldBe([0, 1, 0, 1]);
        (Number(cars["bbox_y1"][0]), Number(cars["bbox_y2"][0])).ShouldBe((7.5, -70_000));
        variables["class_names"].ShouldBeOfType<MatValue.Cell>().Items.Select(Text).ShouldBe(["Škoda Octavia 2012", "Ram C/V Cargo Van 2012"]);
        variables["sparse_is_skipped"].ShouldBeOfType<MatValue.Other>();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Structs_cells_texts_and_numbers_are_read_compressed_or_not(bool compressed)
    {
        byte[][] variables =
        [
            MatWriter.Struct(["path", "class"], [[MatWriter.Text("a.jpg"), MatWriter.Number(3)], [MatWriter.Text(""), MatWriter.Number(0.25)]], "cars"),
            MatWriter.Cell([MatWriter.Text("one"), MatWriter.Cell([MatWriter.Number(2)])], "names"),
            MatWriter.Array(4, [2, 3], "rows", MatWriter.Element(16, "adbecf"u8.ToArray())),
            MatWriter.Array(9, [1, 3], "bytes", MatWriter.Element(2, [1, 2, 255])),
            MatWriter.Array(12, [1, 2], "integers", MatWriter.Element(5, [.. BitConverter.GetBytes(-7), .. BitConverter.GetBytes(1 << 30)])),
            MatWriter.Element(14, []),
        ];

        var read = MatFile.Read(MatWriter.File(compressed ? [.. variables.Select(MatWriter.Compressed)] : variables));

        var cars = read["cars"].ShouldBeOfType<MatValue.Struct>().Fields;
        (Text(cars["path"][0]), Number(cars["class"][0]), Text(cars["path"][1]), Number(cars["class"][1])).ShouldBe(("a.jpg", 3, "", 0.25));
        var names = read["names"].ShouldBeOfType<MatValue.Cell>().Items;
        (Text(names[0]), Number(names[1].ShouldBeOfType<MatValue.Cell>().Items.Single())).ShouldBe(("one", 2));
        Text(read["rows"]).ShouldBe("abc\ndef");
        read["bytes"].ShouldBeOfType<MatValue.Numbers>().Values.ShouldBe([1, 2, 255]);
        read["integers"].ShouldBeOfType<MatValue.Numbers>().Values.ShouldBe([-7, 1 << 30]);
    }

    [Fact]
    public void Files_of_other_kinds_are_told_apart()
    {
        var bigEndian = MatWriter.File();
        (bigEndian[126], bigEndian[127]) = ((byte)'M', (byte)'I');
        var hdf5 = MatWriter.File();
        "MATLAB 7.3"u8.CopyTo(hdf5);

        Refusal([]).ShouldContain("shorter than the header");
        Refusal(new byte[500]).ShouldContain("no MATLAB file of version 5");
        Refusal(bigEndian).ShouldContain("big-endian");
        Refusal(hdf5).ShouldContain("-v7");
    }

    [Fact]
    public void A_file_that_promises_more_than_it_holds_is_refused_without_allocating_it()
    {
        Refusal(MatWriter.File(MatWriter.Array(1, [1, 2_000_000_000], "x", []))).ShouldContain("promises more elements");
        Refusal(MatWriter.File(MatWriter.Array(1, [2_000_000_000, 2_000_000_000], "x", []))).ShouldContain("too large");
        Refusal(MatWriter.File(MatWriter.Array(2, [1, 2_000_000_000], "x", [.. MatWriter.Element(5, BitConverter.GetBytes(2)), .. MatWriter.Element(1, "a\0b\0"u8.ToArray())])))
            .ShouldContain("promises more elements");
        Refusal(MatWriter.File([15, 0, 0, 0, 255, 255, 255, 127])).ShouldContain("ends in the middle");
        var empty = MatFile.Read(MatWriter.File(MatWriter.Array(2, [1, 2_000_000_000], "x", [.. MatWriter.Element(5, BitConverter.GetBytes(8)), .. MatWriter.Element(1, [])])));
        empty["x"].ShouldBeOfType<MatValue.Struct>().Fields.ShouldBeEmpty();
    }

    [Fact]
    public void Bombs_and_towers_are_refused()
    {
        var tower = MatWriter.Number(1);
        for (var i = 0; i < 100; i++) tower = MatWriter.Cell([tower]);

        Refusal(MatWriter.File(tower)).ShouldContain("nests more than 8 deep");
        Refusal(MatWriter.File(MatWriter.Compressed(new byte[65 << 20]))).ShouldContain("unpacks to more than 64 MiB");
        Refusal(MatWriter.File(MatWriter.Compressed(MatWriter.Array(1, [1, 1_000_001], "x", [.. Enumerable.Repeat(MatWriter.Element(14, []), 1_000_001).SelectMany(e => e)]))))
            .ShouldContain("more than 1,000,000 arrays");
    }

    [Fact]
    public void Whatever_bytes_are_changed_or_cut_off_reading_ends_well()
    {
        var plain = MatWriter.File(MatWriter.Struct(["path", "class"], [[MatWriter.Text("a.jpg"), MatWriter.Number(1)], [MatWriter.Text("b.jpg"), MatWriter.Number(1e6)]], "cars"));
        for (var seed = 0; seed < 20_000; seed++)
        {
            var random = new Random(seed);
            var bytes = (byte[])(random.Next(4) == 0 ? Sound : plain).Clone();
            for (var i = random.Next(1, 5); i > 0; i--) bytes[random.Next(128, bytes.Length)] = (byte)random.Next(256);
            if (random.Next(3) == 0) bytes = bytes[..random.Next(bytes.Length)];
            try
            {
                MatFile.Read(bytes).Count.ShouldBeLessThan(10);
            }
            catch (MatFormatException e)
            {
                e.Message.ShouldNotBeNullOrEmpty();
            }
        }
    }

    private static string Text(MatValue value) => value.ShouldBeOfType<MatValue.Text>().Value;

    private static double Number(MatValue value) => value.ShouldBeOfType<MatValue.Numbers>().Values.Single();

    private static string Refusal(byte[] file) => Should.Throw<MatFormatException>(() => MatFile.Read(file)).Message;
}
