using System.Globalization;

namespace DmlPipeline.Learning.Weights.Pickle;

/// <summary>Names of the pickle instructions that are refused, as pickletools has them.</summary>
internal static class PickleInstructions
{
    private static readonly Dictionary<byte, string> Names = new()
    {
        [(byte)'2'] = "DUP", [(byte)'F'] = "FLOAT", [(byte)'I'] = "INT", [(byte)'L'] = "LONG", [(byte)'P'] = "PERSID", [(byte)'S'] = "STRING",
        [(byte)'V'] = "UNICODE", [(byte)'B'] = "BINBYTES", [(byte)'C'] = "SHORT_BINBYTES", [(byte)'g'] = "GET", [(byte)'p'] = "PUT",
        [(byte)'i'] = "INST", [(byte)'o'] = "OBJ", [0x81] = "NEWOBJ", [0x82] = "EXT1", [0x83] = "EXT2", [0x84] = "EXT4", [0x8b] = "LONG4",
        [0x8e] = "BINBYTES8", [0x8f] = "EMPTY_SET", [0x90] = "ADDITEMS", [0x91] = "FROZENSET", [0x92] = "NEWOBJ_EX", [0x96] = "BYTEARRAY8",
        [0x97] = "NEXT_BUFFER", [0x98] = "READONLY_BUFFER",
    };

    public static string Name(byte code) => Names.TryGetValue(code, out var name) ? name : "0x" + code.ToString("x2", CultureInfo.InvariantCulture);
}
