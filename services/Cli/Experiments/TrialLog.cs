using System.Text;
using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Learning.Search;

namespace DmlPipeline.Cli.Experiments;

/// <summary>One trial of a sweep that came to its end: a line of trials.jsonl.</summary>
/// <param name="Trial">The configuration's number, from 0.</param>
/// <param name="Round">Of successive halving; 0 otherwise.</param>
/// <param name="Share">Of the full length that it was trained for.</param>
/// <param name="Point">Its place in the search space.</param>
/// <param name="Values">Its settings by key, as a recipe writes them.</param>
/// <param name="RecipeHash">Of the recipe that was trained.</param>
/// <param name="State">"done", "stopped" by the median rule, or "diverged".</param>
/// <param name="Score">The best MAP@R on the validation classes; null when diverged.</param>
/// <param name="Recall1">Recall@1 in the same epoch.</param>
/// <param name="Epochs">Trained.</param>
/// <param name="Seconds">Trained.</param>
/// <param name="Curve">MAP@R on the way.</param>
/// <param name="Error">Why it diverged.</param>
internal sealed record TrialRecord(
    int Trial, int Round, double Share, IReadOnlyList<double> Point, IReadOnlyDictionary<string, string> Values, string RecipeHash, string State,
    double? Score, double? Recall1, int Epochs, double Seconds, IReadOnlyList<CurvePoint> Curve, string? Error)
{
    public const string Done = "done", Stopped = "stopped", Diverged = "diverged";

    /// <summary>For searches: a trial that diverged is worse than any other.</summary>
    public double Rank => Score ?? double.NegativeInfinity;

    public string Settings => string.Join("  ", Values.Select(value => $"{value.Key} {value.Value}"));
}

/// <summary>trials.jsonl: a line is added when a trial is over, so that a sweep that is killed loses none.</summary>
internal static class TrialLog
{
    public static IReadOnlyList<TrialRecord> Read(string folder)
    {
        var file = File(folder);
        if (!System.IO.File.Exists(file)) return [];
        // A kill may have torn the last line.
        return [.. System.IO.File.ReadLines(file).Where(line => line.EndsWith('}')).Select(line => JsonSerializer.Deserialize<TrialRecord>(line, ContractJson.Compact)!)];
    }

    public static void Add(string folder, TrialRecord record)
    {
        using var stream = new FileStream(File(folder), FileMode.OpenOrCreate, FileAccess.ReadWrite);
        var torn = stream.Length > 0 && stream.Seek(-1, SeekOrigin.End) >= 0 && stream.ReadByte() != '\n';
        stream.Seek(0, SeekOrigin.End);
        stream.Write(Encoding.UTF8.GetBytes($"{(torn ? "\n" : "")}{JsonSerializer.Serialize(record, ContractJson.Compact)}\n"));
        stream.Flush(flushToDisk: true);
    }

    /// <summary>The best of those trained the longest; stopped and shortened ones only where there is nothing else.</summary>
    public static TrialRecord? Best(IReadOnlyList<TrialRecord> records) =>
        records.Where(record => record.Score is not null).OrderByDescending(record => record.State == TrialRecord.Done).ThenByDescending(record => record.Share)
            .ThenByDescending(record => record.Rank).FirstOrDefault();

    private static string File(string folder) => Path.Combine(folder, "trials.jsonl");
}
