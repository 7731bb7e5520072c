using System.Buffers.Binary;
using System.Text;
using DmlPipeline.Torch;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Torch;

public sealed class SafetensorsTests
{
    private static readonly ScalarType[] Types =
        [float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, @bool];

    [Fact]
    public void Tensors_of_every_type_and_shape_come_back()
    {
        using var scope = NewDisposeScope();
        var tensors = Types.ToDictionary(t => $"t.{t}", t => (arange(6) - 2).to(t).view(2, 3));
        tensors["scalar"] = tensor(2.5f);
        tensors["empty"] = zeros(0, 4);
        tensors["strided"] = arange(6).view(2, 3).t();
        var metadata = new Dictionary<string, string> { ["spec"] = "{\"ü\":1}", [""] = "nothing" };
        using var file = new MemoryStream();

        Safetensors.Write(file, tensors, metadata);
        file.Position = 0;
        var (read, text) = Safetensors.Read(file);

        text.ShouldBe(metadata, ignoreOrder: true);
        read.Keys.ShouldBe(tensors.Keys, ignoreOrder: true);
        foreach (var (name, expected) in tensors)
        {
            read[name].dtype.ShouldBe(expected.dtype);
            read[name].shape.ShouldBe(expected.shape);
            Golden.LargestDifference(read[name], expected).ShouldBe(0, name);
        }
    }

    [Fact]
    public void Floats_are_written_and_read_without_tensors()
    {
        var path = Path.GetTempFileName();
        try
        {
            var before = LiveTensors.Settled();
            using (var file = File.Create(path))
                Safetensors.WriteFloats(file, new Dictionary<string, (float[], long[])> { ["e"] = ([1, 2, 3, 4, 5, 6], [3, 2]) }, new Dictionary<string, string> { ["n"] = "3" });

            var (arrays, metadata) = Safetensors.ReadFloats(path);

            arrays["e"].Data.ShouldBe([1, 2, 3, 4, 5, 6]);
            arrays["e"].Shape.ShouldBe([3, 2]);
            metadata["n"].ShouldBe("3");
            TorchRuntime.LiveTensors.ShouldBe(before);
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Every_tensor_is_aligned_to_its_element()
    {
        using var scope = NewDisposeScope();
        using var file = new MemoryStream();
        Safetensors.Write(file, new Dictionary<string, Tensor> { ["a"] = zeros([3], uint8), ["b"] = zeros([3], float64), ["c"] = zeros([1], int16) });
        file.Position = 0;

        var header = SafetensorsHeader.Read(file, file.Length);

        header.DataStart.ShouldBe(file.Position);
        header.Entries.ShouldAllBe(e => (header.DataStart + e.Begin) % SafetensorsEntry.SizeOf(e.Type) == 0);
    }

    [Theory]
    [InlineData("", 0, "no JSON object")]
    [InlineData("[]", 0, "no JSON object")]
    [InlineData("{", 0, "no valid JSON")]
    [InlineData("{} x", 0, "no valid JSON")]
    [InlineData("{\"a\":1}", 0, "where a StartObject belongs")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "lacks its type, shape or place")]
    [InlineData("{\"a\":{\"dtype\":\"C64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 8, "not supported")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "needs 8 bytes")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "no natural number")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", 4, "no natural number")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[4611686018427387904,4],\"data_offsets\":[0,0]}}", 0, "larger than any memory")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "begins at 4 where 0 was expected")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "begins at 0 where 4")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", 8, "names 'a' twice")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 9, "take 4 bytes of 9")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[4,0]}}", 0, "begins at 4")]
    [InlineData("{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"extra\":1}}", 4, "unknown or repeated field")]
    [InlineData("{\"__metadata__\":{\"a\":1}}", 0, "where a String belongs")]
    [InlineData("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}", 0, "names 'a' twice")]
    public void A_bad_header_is_refused_with_its_fault(string json, long dataLength, string fault) =>
        Should.Throw<InvalidDataException>(() => SafetensorsHeader.Parse(Encoding.UTF8.GetBytes(json), dataLength)).Message.ShouldContain(fault);

    [Theory]
    [InlineData(ulong.MaxValue)]
    [InlineData(1UL << 40)]
    [InlineData(100_000_001UL)]
    [InlineData(5000UL)]
    public void A_header_length_that_cannot_be_is_refused_before_memory_is_taken(ulong length)
    {
        var file = new byte[100];
        BinaryPrimitives.WriteUInt64LittleEndian(file, length);

        Should.Throw<InvalidDataException>(() => Safetensors.Read(new MemoryStream(file)));
    }

    [Fact]
    public void Ten_thousand_mutated_files_are_read_or_refused()
    {
        using var scope = NewDisposeScope();
        using var file = new MemoryStream();
        Safetensors.Write(
            file,
            new Dictionary<string, Tensor> { ["conv.weight"] = rand(2, 3), ["n"] = zeros([], int64), ["mask"] = zeros([5], @bool) },
            new Dictionary<string, string> { ["k"] = "v" });
        var good = file.ToArray();
        var random = new Random(1);
        var refused = 0;
        var allocated = GC.GetAllocatedBytesForCurrentThread();

        for (var i = 0; i < 10_000; i++)
        {
            using var inner = NewDisposeScope();
            try
            {
                Safetensors.Read(new MemoryStream(Mutate(good, random)));
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }

        refused.ShouldBeInRange(5_000, 10_000); // the rest changed values or names only
        (GC.GetAllocatedBytesForCurrentThread() - allocated).ShouldBeLessThan(10_000L * 20_000);
    }

    private static byte[] Mutate(byte[] good, Random random)
    {
        var bytes = (byte[])good.Clone();
        var headerEnd = 8 + BinaryPrimitives.ReadInt32LittleEndian(good);
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            var at = random.Next(headerEnd);
            switch (random.Next(6))
            {
                case 0:
                    bytes[at % bytes.Length] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes[at % bytes.Length] = (byte)"0123456789{}[],:\"-eE. "[random.Next(22)];
                    break;
                case 2:
                    bytes = bytes[..random.Next(bytes.Length + 1)];
                    break;
                case 3:
                    bytes = [.. bytes.Take(at), .. bytes.Skip(at + random.Next(1, 9))];
                    break;
                case 4:
                    bytes = [.. bytes.Take(at), .. bytes.Skip(random.Next(headerEnd)).Take(random.Next(20)), .. bytes.Skip(at)];
                    break;
                default:
                    if (bytes.Length > 8) bytes[random.Next(8)] ^= (byte)(1 << random.Next(8));
                    break;
            }
            if (bytes.Length == 0) return bytes;
        }
        return bytes;
    }
}
