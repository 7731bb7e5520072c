using DmlPipeline.Cli.Terminal;
using DmlPipeline.Learning.Training;
using DmlPipeline.Learning.Weights;
using DmlPipeline.Storage;
using DmlPipeline.Torch;
using DmlPipeline.Training;

namespace DmlPipeline.Cli.Experiments;

/// <summary>Trains in this process and shows how far it is. A folder with a checkpoint goes on from it.</summary>
internal sealed class ExperimentTraining(IArtifactStore store, TorchThread thread, LiveLine live)
{
    private static readonly string[] Leftovers = ["checkpoint*.safetensors", "best.safetensors"];

    /// <param name="job">What is learnt from, how, and where it writes; weights to begin with and progress are seen to here.</param>
    /// <param name="title">What the line of progress begins with.</param>
    /// <param name="ends">Asked about once a second whether the training is to end here; null never does.</param>
    /// <param name="cancel">Saves a checkpoint and throws.</param>
    /// <exception cref="CliException">The recipe's pretrained weights are not there, or another network's.</exception>
    /// <returns>The outcome; cancelled when <paramref name="ends"/> said so.</returns>
    public async Task<TrainingOutcome> Train(TrainingJob job, string title, Func<TrainingProgress, bool>? ends, CancellationToken cancel)
    {
        try
        {
            var weights = await PretrainedInStore.LocalFile(store, job.Recipe.Pretrained ?? job.Recipe.WarmStart?.Weights, cancel);
            return await Run(job with { PretrainedFile = weights, WarmStartFile = weights }, title, ends, cancel);
        }
        catch (WeightException e)
        {
            throw new CliException($"{title}: {e.Message}", e);
        }
    }

    private async Task<TrainingOutcome> Run(TrainingJob job, string title, Func<TrainingProgress, bool>? ends, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var reporting = job with
        {
            Progressed = progress =>
            {
                Report(title, progress);
                if (ends?.Invoke(progress) == true) stop.Cancel();
            },
        };
        live.Update($"{title}  starting");
        var outcome = await thread.Run(() => TrainingLoop.Run(reporting, stop.Token));
        cancel.ThrowIfCancellationRequested();
        return outcome;
    }

    /// <summary>Removes what only a training that goes on needs.</summary>
    public static void Tidy(string folder)
    {
        foreach (var pattern in Leftovers)
            foreach (var file in Directory.EnumerateFiles(folder, pattern)) File.Delete(file);
    }

    private void Report(string title, TrainingProgress progress)
    {
        var recall = progress.ValidationRecall1 is { } value ? $"  recall@1 {Show.Percent(value),6}" : "";
        var left = progress.SecondsLeft is { } seconds ? $"  {Show.Duration(TimeSpan.FromSeconds(seconds))} left" : "";
        live.Update($"{title}  {Show.Bar(progress.Fraction)} {100 * progress.Fraction,3:0} %  epoch {progress.Epoch,3}  loss {progress.Loss:0.000}{recall}  {Show.Count((long)progress.ImagesPerSecond)} images/s{left}");
    }
}
