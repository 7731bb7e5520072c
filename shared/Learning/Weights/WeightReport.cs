using System.Globalization;
using System.Text;

namespace DmlPipeline.Learning.Weights;

/// <summary>What became of each tensor when pretrained weights were put into a network.</summary>
/// <param name="File">The file's name.</param>
/// <param name="Sha256">The file's hash, in lower-case hexadecimal.</param>
/// <param name="Prefix">What stood before the network's own names in the file, such as "module."; often nothing.</param>
/// <param name="Matched">Tensors of the network that the file filled.</param>
/// <param name="Adapted">Those of them that had to be brought to another shape or order, and how.</param>
/// <param name="Missing">Tensors of the backbone that the file lacks.</param>
/// <param name="Mismatched">Tensors that the file has in a shape that does not fit.</param>
/// <param name="Unexpected">Names in the file that the network has no use for: its classifier, as a rule.</param>
public sealed record WeightReport(
    string File,
    string Sha256,
    string Prefix,
    IReadOnlyList<string> Matched,
    IReadOnlyList<string> Adapted,
    IReadOnlyList<string> Missing,
    IReadOnlyList<string> Mismatched,
    IReadOnlyList<string> Unexpected)
{
    /// <summary>Whether the whole backbone was filled.</summary>
    public bool IsComplete => Missing.Count == 0 && Mismatched.Count == 0;

    /// <summary>The report as lines of text, lists shortened to <paramref name="most"/> names.</summary>
    public string ToText(int most = 10)
    {
        var text = new StringBuilder();
        var prefix = Prefix.Length > 0 ? $", named '{Prefix}…' there" : "";
        text.Append(CultureInfo.InvariantCulture, $"{File}: {Matched.Count} tensors matched{prefix}");
        Add("adapted", Adapted);
        Add("missing", Missing);
        Add("of another shape", Mismatched);
        Add("not used", Unexpected);
        return text.ToString();

        void Add(string what, IReadOnlyList<string> names)
        {
            if (names.Count == 0) return;
            var more = names.Count > most ? $", and {names.Count - most} more" : "";
            text.Append(CultureInfo.InvariantCulture, $"\n  {names.Count} {what}: {string.Join(", ", names.Take(most))}{more}");
        }
    }
}
