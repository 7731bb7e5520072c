using System.CommandLine;
using DmlPipeline.Cli.Commands;

namespace DmlPipeline.Cli.State;

/// <summary>The home, for commands that can do without one when model and images are given as files.</summary>
internal sealed class HomeOrNone : IDisposable
{
    private readonly OpenedHome? home;
    private readonly string asWritten;

    private HomeOrNone(OpenedHome? home, string asWritten)
    {
        this.home = home;
        this.asWritten = asWritten;
    }

    public OpenedHome? Opened => home;

    /// <exception cref="CliException">There is no home.</exception>
    public OpenedHome Required => home ?? throw OpenedHome.None(asWritten);

    public static async Task<HomeOrNone> Open(ParseResult parse, CancellationToken cancel) => new(await OpenedHome.OpenIfAny(parse, cancel), parse.GetValue(SharedOptions.Home)!);

    public void Dispose() => home?.Dispose();
}
