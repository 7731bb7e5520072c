using System.Runtime.InteropServices;
using System.Text;

namespace DmlPipeline.Cli.Images;

/// <summary>NumPy's file format, version 1.0: a header in Python syntax, padded to 64 bytes, then little-endian floats.</summary>
internal static class Npy
{
    public static void Write(Stream stream, Embeddings embeddings)
    {
        var header = $"{{'descr': '<f4', 'fortran_order': False, 'shape': ({embeddings.Rows}, {embeddings.Dimension}), }}";
        // 10 bytes of preamble; the header ends with a newline on a multiple of 64.
        header = header.PadRight(((header.Length + 10 + 1 + 63) / 64 * 64) - 10 - 1) + "\n";
        stream.Write([0x93, .. "NUMPY"u8, 1, 0, (byte)(header.Length & 0xFF), (byte)(header.Length >> 8)]);
        stream.Write(Encoding.ASCII.GetBytes(header));
        // Every platform that .NET 10 and libtorch share is little-endian.
        stream.Write(MemoryMarshal.AsBytes<float>(embeddings.Values));
    }
}
