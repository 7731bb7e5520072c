using System.Text.Json;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Models;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Search;
using DmlPipeline.Learning.Training;
using DmlPipeline.Storage;
using DmlPipeline.Torch;

namespace DmlPipeline.Cli.Experiments;

/// <summary>Does the trials of a sweep that are not done yet, one after the other.</summary>
internal sealed class SweepRun(SweepPlan plan, string folder, ExperimentImages images, IArtifactStore store, TorchThread thread, LiveLine live)
{
    public async Task DoAll(CancellationToken cancel)
    {
        var records = TrialLog.Read(folder).ToList();
        foreach (var over in records) Forget(over);
        while (plan.Next(records) is { } next)
        {
            var record = await Do(next.Trial, next.Round, next.Share, next.Point, records, cancel);
            TrialLog.Add(folder, record);
            records.Add(record);
            Forget(record);
            var result = record.Score is { } score ? $"map@r {Show.Percent(score),6}{(record.State == TrialRecord.Stopped ? " stopped" : "")}" : "diverged";
            var best = TrialLog.Best(records)?.Score is { } top ? $"  best {Show.Percent(top)}" : "";
            live.Keep($"{Title(next.Trial, next.Round, records.Count)}  {result}{best}  {record.Settings}");
        }
        live.Clear();
    }

    private async Task<TrialRecord> Do(int trial, int round, double share, IReadOnlyList<double> point, IReadOnlyList<TrialRecord> records, CancellationToken cancel)
    {
        var values = plan.Space.At(point);
        var recipe = plan.Trained(values, share);
        var shape = SpecOfRecipe.Shape(recipe);
        var splits = images.Manifest.Classes.ToDictionary(c => c.Name, c => c.Split, StringComparer.Ordinal);
        var train = images.Of(shape, name => splits[name] == SplitNames.Train, cancel);
        var validation = images.Of(shape, name => splits[name] == SplitNames.Validation, cancel);
        var own = FolderOf(trial, round);
        IReadOnlyList<IReadOnlyList<CurvePoint>> finished = [.. records.Where(record => record.State == TrialRecord.Done && record.Round == round).Select(record => record.Curve)];

        try
        {
            var outcome = await new ExperimentTraining(store, thread, live).Train(
                new TrainingJob { Recipe = recipe, Train = train, Validation = validation, Folder = own }, Title(trial, round, records.Count + 1), Ends, cancel);
            var stopped = outcome.End == TrainingEnd.Cancelled;
            return Record(stopped ? TrialRecord.Stopped : TrialRecord.Done, outcome.Best, outcome.History.Count, outcome.Seconds, error: null);
        }
        catch (TrainingDivergedException e)
        {
            return Record(TrialRecord.Diverged, best: null, epochs: 0, seconds: 0, e.Message);
        }

        TrialRecord Record(string state, EpochResult? best, int epochs, double seconds, string? error) => new(
            trial, round, share, point, values, RecipeFile.Hash(recipe), state, best?.ValidationMapAtR, best?.ValidationRecall1, epochs, Math.Round(seconds, 1), Curve(own, recipe), error);

        bool Ends(TrainingProgress progress) => plan.StopsEarly && progress.Fraction < 1 && MedianStopping.ShouldStop(finished, Curve(own, recipe));
    }

    /// <summary>From the file that training writes, so that a trial that was interrupted has its whole curve.</summary>
    private static List<CurvePoint> Curve(string own, TrainingRecipe recipe)
    {
        var file = Path.Combine(own, "metrics.jsonl");
        if (!File.Exists(file)) return [];
        return [.. File.ReadLines(file).Where(line => line.EndsWith('}')).Select(line => JsonSerializer.Deserialize<EpochLine>(line, ContractJson.Compact)!)
            .Where(epoch => epoch.ValidationMapAtR is not null)
            .Select(epoch => new CurvePoint(Math.Min(1, recipe.Budget is { } budget ? epoch.Seconds / budget.TotalSeconds : (double)epoch.Epoch / recipe.Epochs!.Value), epoch.ValidationMapAtR!.Value))];
    }

    /// <summary>Trials are for comparing: the winner is trained again with its recipe, and a hundred models would fill the disk.</summary>
    private void Forget(TrialRecord record)
    {
        var own = FolderOf(record.Trial, record.Round);
        if (Directory.Exists(own)) Directory.Delete(own, recursive: true);
    }

    private string FolderOf(int trial, int round) => Path.Combine(folder, "trials", $"{trial:000}-r{round}");

    private string Title(int trial, int round, int number) =>
        $"{number}/{plan.Planned} {(plan.IsHalving ? $"round {round + 1} configuration {trial + 1}" : "trial")}";
}
