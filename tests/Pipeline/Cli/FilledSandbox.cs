namespace DmlPipeline.Tests.Pipeline.Cli;

/// <summary>For tests of commands on a home written by hand, each with one of its own: no pipeline runs.</summary>
public abstract class FilledSandbox : IAsyncLifetime
{
    protected Sandbox Sandbox { get; } = new();

    public async Task InitializeAsync()
    {
        using var database = await Sandbox.Home.OpenDatabase(default);
        await HomeByHand.Fill(database);
    }

    public Task DisposeAsync()
    {
        Sandbox.Dispose();
        return Task.CompletedTask;
    }
}
