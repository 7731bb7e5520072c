using DmlPipeline.Storage.Work;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class NeedsTests
{
    private static readonly Dictionary<string, string> Worker = new(StringComparer.Ordinal)
    {
        ["gpu"] = "NVIDIA A100", ["gpu-memory"] = "42.9GB", ["cores"] = "16", ["site"] = "berlin",
    };

    [Theory]
    [InlineData("gpu", true)]
    [InlineData("gpu=nvidia a100", true)]
    [InlineData("gpu-memory>=40GB", true)]
    [InlineData("gpu-memory>=39GiB", true)]
    [InlineData("gpu-memory>=40GiB", false)]
    [InlineData("gpu-memory>=80GB", false)]
    [InlineData("cores>=16", true)]
    [InlineData("cores>=17", false)]
    [InlineData("site>=1", false)]
    [InlineData("site=berlin, gpu", true)]
    [InlineData("site=paris,gpu", false)]
    [InlineData("fast-disk", false)]
    public void A_worker_meets_what_its_labels_say(string needs, bool met) => Needs.AreMet(needs, Worker).ShouldBe(met);

    [Fact]
    public void The_same_conditions_are_the_same_text() => Needs.Parse(" site=berlin ,gpu").ToString().ShouldBe(Needs.Parse("gpu,site=berlin").ToString());

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("gpu-memory>=much")]
    [InlineData("gpu-memory>40GB")]
    [InlineData("GPU")]
    [InlineData("gpu=")]
    [InlineData("a=b=c")]
    public void What_is_no_condition_is_refused_with_an_example(string text) =>
        Should.Throw<FormatException>(() => Needs.Parse(text)).Message.ShouldContain("gpu-memory>=40GB");

    [Fact]
    public void Needs_that_cannot_be_read_are_met_by_nobody() => Needs.AreMet("???", Worker).ShouldBeFalse();
}
