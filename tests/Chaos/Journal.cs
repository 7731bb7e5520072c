using System.Diagnostics;
using System.Globalization;
using DmlPipeline.Chaos.Checks;

namespace DmlPipeline.Chaos;

/// <summary>What a run says: a line for each thing that happens, and the table at its end.</summary>
internal sealed class Journal(TextWriter output)
{
    private const int MostDetails = 20;

    private readonly long begun = Stopwatch.GetTimestamp();
    private readonly Lock writing = new();

    public void Say(string text)
    {
        lock (writing) output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Stopwatch.GetElapsedTime(begun).TotalSeconds,6:0.0} s  {text}"));
    }

    public void Table(IReadOnlyList<KeyValuePair<string, int>> faults, IReadOnlyList<Check> checks)
    {
        lock (writing)
        {
            output.WriteLine();
            output.WriteLine($"{"fault",-54}{"struck",9}");
            foreach (var (name, count) in faults) output.WriteLine($"{name,-54}{count,9}");
            output.WriteLine();
            output.WriteLine($"{"count",-54}{"expected",9}{"found",9}");
            foreach (var check in checks)
            {
                output.WriteLine($"{check.What,-54}{check.Expected?.ToString(CultureInfo.InvariantCulture) ?? "any",9}{check.Found,9}  {(check.Expected is null ? "" : check.IsRight ? "right" : "WRONG")}".TrimEnd());
                foreach (var detail in check.Details.Take(MostDetails)) output.WriteLine($"    {detail}");
                if (check.Details.Count > MostDetails) output.WriteLine($"    and {check.Details.Count - MostDetails} more");
            }
            output.WriteLine();
        }
    }
}
