using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using DmlPipeline.Contracts.Datasets;

namespace DmlPipeline.Ingestion.Writing;

/// <summary>What is asked of a version as a whole, in 64 bytes for each of its images; everything else about them is in the list that is written.</summary>
internal sealed class SampleTable(int images)
{
    private readonly List<Row> rows = new(images);
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private readonly List<string> texts = [];

    /// <param name="Class">Number of its text.</param>
    /// <param name="Role">Number of its text, or -1.</param>
    [StructLayout(LayoutKind.Sequential)]
    private readonly record struct Row(Digest Digest, ulong PerceptualHash, int Class, int Role, int Width, int Height, int? Camera);

    public int Count => rows.Count;

    public void Add(DatasetSample sample) => rows.Add(new Row(
        Digest.Parse(sample.Sha256), ulong.Parse(sample.PerceptualHash, NumberStyles.HexNumber, CultureInfo.InvariantCulture), Number(sample.Class),
        sample.Role is null ? -1 : Number(sample.Role), sample.Width, sample.Height, sample.Camera));

    public string ClassOf(int sample) => texts[rows[sample].Class];

    public int MedianWidth() => Median(row => row.Width);

    public int MedianHeight() => Median(row => row.Height);

    public string ContentHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var rank = new int[texts.Count];
        foreach (var (text, place) in texts.Order(StringComparer.Ordinal).Select((text, place) => (text, place))) rank[numbers[text]] = place;
        var sorted = rows.ToArray();
        Array.Sort(sorted, (a, b) => a.Class != b.Class ? rank[a.Class].CompareTo(rank[b.Class]) : Digest.Compare(a.Digest, b.Digest));
        foreach (var row in sorted)
        {
            var protocol = row.Role < 0 && row.Camera is null ? "" : $"\t{(row.Role < 0 ? null : texts[row.Role])}\t{row.Camera}";
            hash.AppendData(Encoding.UTF8.GetBytes($"{texts[row.Class]}\t{row.Digest}{protocol}\n"));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public NearDuplicateReport NearDuplicates(int distance, int mostPairs) =>
        Writing.NearDuplicates.Find(rows.ConvertAll(row => row.PerceptualHash), rows.ConvertAll(row => texts[row.Class]), distance, mostPairs);

    private int Number(string text)
    {
        if (numbers.TryGetValue(text, out var number)) return number;
        texts.Add(text);
        return numbers[text] = texts.Count - 1;
    }

    private int Median(Converter<Row, int> value)
    {
        var sorted = rows.ConvertAll(value);
        sorted.Sort();
        return sorted[sorted.Count / 2];
    }
}
