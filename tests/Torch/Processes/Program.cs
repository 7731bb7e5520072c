using System.Text.Json;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Training;
using DmlPipeline.Tests.Torch.Learning.Training;
using DmlPipeline.Torch;
using TorchSharp;

namespace DmlPipeline.Tests.Torch.Processes;

/// <summary>The other processes of tests that train in several: this assembly, run as a program. It is told on stdin what to do, a line of JSON at a time, and answers each with a line.</summary>
internal static class Program
{
    private static int Main()
    {
        torch.set_num_threads(1);
        CancellationTokenSource? running = null;
        var lines = Console.In;
        Task? work = null;
        while (lines.ReadLine() is { } line)
        {
            if (line == "stop")
            {
                running?.Cancel();
                continue;
            }
            work?.GetAwaiter().GetResult();
            var told = JsonSerializer.Deserialize<Told>(line)!;
            running = new CancellationTokenSource();
            var cancel = running.Token;
            work = Task.Run(() => Answer(told, cancel), CancellationToken.None);
        }
        return 0;
    }

    private static void Answer(Told told, CancellationToken cancel)
    {
        try
        {
            using var scope = torch.NewDisposeScope();
            using var group = ProcessGroup.Join(MeetingPoint.OfThisMachine(told.Meeting), told.Rank, told.Size, TimeSpan.FromSeconds(60), CancellationToken.None);
            TrainingFollower.Run(
                NoisyShapes.Job(told.Meeting + ".never-made", RecipeFile.Parse(told.Recipe, "told")) with { Group = group, Progressed = _ => throw new InvalidOperationException("Only rank 0 reports.") },
                cancel);
            Console.WriteLine("ended");
        }
        catch (Exception e)
        {
            Console.WriteLine($"{e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    /// <param name="Meeting">File where the group meets.</param>
    /// <param name="Rank">Of this process.</param>
    /// <param name="Size">Of the group.</param>
    /// <param name="Recipe">As canonical JSON.</param>
    internal sealed record Told(string Meeting, int Rank, int Size, string Recipe);
}
