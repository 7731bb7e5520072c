using System.CommandLine;
using DmlPipeline.Cli;

namespace DmlPipeline.Tests.Pipeline.Cli;

public sealed class UsageTests : IDisposable
{
    private readonly Sandbox sandbox = new();

    public void Dispose() => sandbox.Dispose();

    [Fact]
    public async Task Without_arguments_it_lists_the_commands()
    {
        var result = await Sandbox.DmlWithout();

        result.Code.ShouldBe(0);
        foreach (var command in CommandLine.Root.Subcommands) result.Output.ShouldContain($"\n  {command.Name}");
    }

    public static TheoryData<string> Commands => [.. CommandLine.Root.Subcommands.SelectMany(command => Named(command, command.Name))];

    [Theory]
    [MemberData(nameof(Commands))]
    public async Task Every_command_has_help_with_examples_of_itself(string command)
    {
        var result = await Sandbox.DmlWithout([.. command.Split(' '), "--help"]);

        result.Code.ShouldBe(0);
        result.Error.ShouldBeEmpty();
        result.Output.ShouldContain("Examples:");
        result.Output[result.Output.IndexOf("Examples:", StringComparison.Ordinal)..].ShouldContain($"dml {command}");
    }

    [Theory]
    [InlineData("modles")]
    [InlineData("serve")]
    [InlineData("serve trainer")]
    [InlineData("dead-letters replay")]
    [InlineData("dead-letters discard 5f3c --all")]
    [InlineData("dead-letters list --queue mail")]
    [InlineData("drop birds")]
    [InlineData("search a.png --gallery birds")]
    [InlineData("embed a.png --model birds --output vectors.txt")]
    [InlineData("search a.png --model birds --gallery birds --top 0")]
    [InlineData("train birds --budget tomorrow")]
    [InlineData("train birds --priority urgent")]
    [InlineData("train birds --needs gpu>1")]
    [InlineData("train birds --budget 5m --epochs 3")]
    [InlineData("drop birds . --split-by colour")]
    [InlineData("evaluate birds --dataset birds --split unseen")]
    [InlineData("evaluate birds --dataset birds --metrics recall@1,beauty")]
    [InlineData("evaluate birds --dataset birds --k 1,0")]
    [InlineData("evaluate birds --dataset birds --episodes 5x1")]
    [InlineData("evaluate birds --dataset birds --intervals days")]
    [InlineData("evaluate birds --dataset birds --rerank 20")]
    [InlineData("benchmark birds --recipes ice --folds 1")]
    [InlineData("benchmark birds --recipes ice --metrics beauty")]
    [InlineData("benchmark birds")]
    [InlineData("sweep ice birds --method luck")]
    [InlineData("sweep ice birds --trials 0")]
    [InlineData("evaluate birds --dataset birds --rerank --query-expansion 3")]
    public async Task Wrong_usage_exits_with_2_and_names_the_help(string commandLine)
    {
        var result = await sandbox.Dml(commandLine.Split(' '));

        result.Code.ShouldBe(2);
        result.Output.ShouldBeEmpty();
        result.Error.ShouldStartWith("error: ");
        result.Error.ShouldContain("--help");
    }

    [Theory]
    [InlineData("datasets")]
    [InlineData("datasets show birds")]
    [InlineData("runs")]
    [InlineData("runs show birds-v1")]
    [InlineData("models")]
    [InlineData("models show birds")]
    [InlineData("train birds")]
    [InlineData("cancel birds-v1")]
    [InlineData("resume birds-v1")]
    [InlineData("evaluate birds --dataset birds")]
    public async Task Without_a_home_reading_fails_with_a_remedy_and_makes_none(string commandLine)
    {
        var result = await sandbox.Dml(commandLine.Split(' '));

        result.Code.ShouldBe(1);
        result.Output.ShouldBeEmpty();
        result.Error.ShouldBe($"error: There is no pipeline in {sandbox.Home.Path}. Start one with: dml up --home {sandbox.Home.Path}, or name its folder with --home\n");
        Directory.Exists(sandbox.Home.Path).ShouldBeFalse();
    }

    [Fact]
    public async Task What_is_no_number_is_said_so_in_words() =>
        (await sandbox.Dml("train", "birds", "--epochs", "x")).Error.ShouldStartWith("error: --epochs 'x' is no whole number.\n");

    [Fact]
    public async Task Only_verbose_shows_where_an_error_happened()
    {
        (await sandbox.Dml("runs")).Error.ShouldNotContain(" at ");
        (await sandbox.Dml("runs", "--verbose")).Error.ShouldContain(" at ");
    }

    [Fact]
    public async Task An_interrupted_command_exits_with_130()
    {
        using var stop = new CancellationTokenSource();
        await stop.CancelAsync();
        using var error = new StringWriter();
        var data = sandbox.Write("birds", "robin/1.png");

        var code = await DmlPipeline.Cli.CommandLine.Run(["drop", "birds", data, "--home", sandbox.Home.Path], TextWriter.Null, error, stop.Token);

        code.ShouldBe(130);
    }

    [Fact]
    public async Task Recipes_are_listed_shown_and_checked()
    {
        (await Sandbox.DmlWithout("recipes")).Output.ShouldContain("default");
        (await Sandbox.DmlWithout("recipes", "show", "default", "--json")).Json["loss"]!["name"]!.ToString().ShouldBe("ice");
        var unknown = await Sandbox.DmlWithout("recipes", "show", "defualt");
        unknown.Code.ShouldBe(1);
        unknown.Error.ShouldContain("default");
        var file = Path.Combine(sandbox.Folder, "mine.yaml");
        await File.WriteAllTextAsync(file, "epocs: 3\n");
        var wrong = await Sandbox.DmlWithout("recipes", "show", file);
        wrong.Code.ShouldBe(1);
        wrong.Error.ShouldContain("did you mean 'epochs'");
    }

    private static IEnumerable<string> Named(Command command, string name) => command.Subcommands.SelectMany(sub => Named(sub, $"{name} {sub.Name}")).Prepend(name);
}
