using System.Text;
using DmlPipeline.Learning.Weights;
using DmlPipeline.Learning.Weights.Pickle;

namespace DmlPipeline.Tests.Torch.Learning.Weights;

public sealed class HostilePickleTests
{
    [Theory]
    [InlineData("hostile-system.pth", "'posix.system'")]
    [InlineData("hostile-system-legacy.pth", "'posix.system'")]
    [InlineData("hostile-eval.pth", "'__builtin__.eval'")]
    [InlineData("hostile-eval-legacy.pth", "'__builtin__.eval'")]
    [InlineData("hostile-module.pth", "'torch.nn.modules.linear.Linear'")]
    public void A_file_that_would_run_code_is_refused_by_the_name_of_that_code(string file, string name)
    {
        var error = Should.Throw<WeightException>(() => WeightFile.Read(WeightFiles.PathOf(file)));

        error.Message.ShouldContain(file);
        error.Message.ShouldContain(name);
        error.Message.ShouldContain("state_dict");
        File.Exists("ran-by-a-pickle").ShouldBeFalse();
    }

    [Theory]
    [InlineData("cos\nsystem\n.", "'os.system'")]
    [InlineData("cbuiltins\neval\n.", "'builtins.eval'")]
    [InlineData("\u008c\u0002os\u008c\u0006system\u0093.", "'os.system'")]
    [InlineData("(ios\nsystem\n.", "'os.system'")]
    [InlineData("(icollections\nOrderedDict\n.", "INST")]
    [InlineData("ctorch\nload\n.", "'torch.load'")]
    [InlineData("ctorch\nComplexFloatStorage\n.", "'torch.ComplexFloatStorage'")]
    [InlineData("ccollections\nOrderedDict\n)\u0081.", "NEWOBJ")]
    [InlineData("(ccollections\nOrderedDict\no.", "OBJ")]
    [InlineData("\u0082\u0001.", "EXT1")]
    [InlineData("\u008b\u0001\u0000\u0000\u0000\u0001.", "LONG4")]
    [InlineData("Vtext\n.", "UNICODE")]
    [InlineData("\u00ff.", "0xff")]
    [InlineData("cos\u001b[2J\nsystem\n.", "'os?[2J.system'")]
    public void Names_and_instructions_beyond_tensors_are_refused_by_name(string pickle, string named) => Refused(pickle).ShouldContain(named);

    [Theory]
    [InlineData(".", "empty stack")]
    [InlineData("t.", "a mark that it has not set")]
    [InlineData("N(0.", "empty stack")]
    [InlineData("h\u0007.", "recalls value 7")]
    [InlineData("Ns.", "empty stack")]
    [InlineData("NNNs.", "no dictionary")]
    [InlineData("}(Nu.", "without a value")]
    [InlineData("}NNs.", "the key 'None'")]
    [InlineData("}]Ns.", "the key")]
    [InlineData("}\u008a\u0005\u0000\u0000\u0000\u0000\u0001Ns.", "the key '4294967296'")]
    [InlineData("Na.", "empty stack")]
    [InlineData("NNa.", "no list")]
    [InlineData("NNb.", "no dictionary")]
    [InlineData("NNR.", "no tuple")]
    [InlineData("N)R.", "makes no tensor")]
    [InlineData("ccollections\nOrderedDict\nN\u0085R.", "no list of pairs")]
    [InlineData("ctorch._utils\n_rebuild_tensor_v2\n)R.", "describes a tensor")]
    [InlineData("NQ.", "storages is not described")]
    [InlineData("X\u0000\u0000\u0000\u0040abc.", "claims 1073741824 bytes")]
    [InlineData("\u008d\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff.", "beyond any file")]
    [InlineData("X\u0009\u0000\u0000\u0000abc.", "ends in the middle")]
    [InlineData("\u0080\u0009.", "protocol 9")]
    [InlineData("N", "ends in the middle")]
    public void Broken_pickles_are_refused_with_the_reason(string pickle, string reason) => Refused(pickle).ShouldContain(reason);

    [Fact]
    public void Stack_memo_and_instructions_are_bounded()
    {
        Refused(new string('N', 1_100_000)).ShouldContain("on the stack");
        Refused("N" + string.Concat(Enumerable.Range(0, 1_100_000).Select(_ => "\u0094"))).ShouldContain("remembers more than");
        Refused(string.Concat(Enumerable.Repeat("N0", 1_100_000))).ShouldContain("2000000 pickle instructions");
        Refused("c" + new string('a', 100_000)).ShouldContain("has no end");
    }

    [Fact]
    public void Values_nested_a_million_deep_do_not_end_the_process()
    {
        var nested = Read(string.Concat(Enumerable.Repeat("]", 500_000)) + string.Concat(Enumerable.Repeat("a", 499_999)) + ".");

        nested.ShouldBeOfType<List<object?>>();
        Should.Throw<WeightException>(() => StateDictionary.Find(nested)).Message.ShouldContain("no named tensors");
    }

    [Fact]
    public void A_dictionary_that_holds_itself_is_searched_only_so_deep()
    {
        var circle = Read("}q\u0001X\u0005\u0000\u0000\u0000modelh\u0001s.");

        Should.Throw<WeightException>(() => StateDictionary.Find(circle)).Message.ShouldContain("'model'");
    }

    [Theory]
    [InlineData(0, new long[] { 2, 3 }, new long[] { 3, 1 }, null)]
    [InlineData(0, new long[] { 7 }, new long[] { 1 }, "outside its storage")]
    [InlineData(1, new long[] { 2, 3 }, new long[] { 3, 1 }, "outside its storage")]
    [InlineData(-1, new long[] { 2 }, new long[] { 1 }, "outside its storage")]
    [InlineData(0, new long[] { 2 }, new long[] { 6 }, "outside its storage")]
    [InlineData(5, new long[] { 9, 9 }, new long[] { 0, 0 }, null)]
    [InlineData(6, new long[] { 0, 9 }, new long[] { 1, 1 }, null)]
    [InlineData(7, new long[] { 0 }, new long[] { 1 }, "outside its storage")]
    [InlineData(0, new long[] { -1 }, new long[] { 1 }, "size or stride '-1'")]
    [InlineData(0, new long[] { 2 }, new long[] { -1 }, "size or stride '-1'")]
    [InlineData(0, new long[] { 1L << 40, 1L << 40 }, new long[] { 0, 0 }, "larger than any memory")]
    [InlineData(0, new long[] { 2 }, new long[] { long.MaxValue }, "size or stride")]
    [InlineData(0, new long[] { 2, 2 }, new long[] { 1 }, "2 sizes and 1 strides")]
    public void Views_must_lie_within_their_storage(long offset, long[] sizes, long[] strides, string? problem)
    {
        var storage = TorchObjects.Storage(new object?[] { "storage", new PickleGlobal("torch", "FloatStorage"), "0", "cpu", 6L });
        object?[] arguments = [storage, offset, sizes.Cast<object?>().ToArray(), strides.Cast<object?>().ToArray(), false, null];

        var error = Record.Exception(() => TorchObjects.Call(new PickleGlobal("torch._utils", "_rebuild_tensor_v2"), arguments));

        if (problem is null) error.ShouldBeNull();
        else error.ShouldBeOfType<WeightException>().Message.ShouldContain(problem);
    }

    private static string Refused(string pickle) => Should.Throw<WeightException>(() => Read(pickle)).Message;

    private static object? Read(string latin1) => new PickleReader(new MemoryStream(Encoding.Latin1.GetBytes(latin1))).Read();
}
