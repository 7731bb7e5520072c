using System.Diagnostics;
using System.Text.Json;
using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Tests.Torch.Processes;

/// <summary>Another process that trains along; see <see cref="Program"/>.</summary>
internal sealed class OtherProcess : IDisposable
{
    private readonly Process process;

    public OtherProcess()
    {
        var start = new ProcessStartInfo("dotnet", [typeof(OtherProcess).Assembly.Location]) { RedirectStandardInput = true, RedirectStandardOutput = true, UseShellExecute = false };
        process = Process.Start(start)!;
    }

    public void Follow(string meeting, int rank, int size, TrainingRecipe recipe) =>
        Tell(JsonSerializer.Serialize(new Program.Told(meeting, rank, size, RecipeFile.ToCanonicalJson(recipe))));

    public void Stop() => Tell("stop");

    public void Kill() => process.Kill();

    /// <summary>How what it was told has ended.</summary>
    public string Answer() => process.StandardOutput.ReadLine() ?? "(it has died)";

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.WaitForExit();
        process.Dispose();
    }

    private void Tell(string line)
    {
        process.StandardInput.WriteLine(line);
        process.StandardInput.Flush();
    }
}
