using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion.Writing;

/// <summary>What is asked of a version as a whole; everything else about its images is in the list that is written. On disk.</summary>
internal sealed class SampleTable
{
    private readonly ScratchDatabase scratch;
    private readonly Texts classes;
    private readonly ScratchStatement insert;
    private readonly SortedDictionary<int, int> widths = [];
    private readonly SortedDictionary<int, int> heights = [];

    public SampleTable(ScratchDatabase scratch, Texts classes)
    {
        (this.scratch, this.classes) = (scratch, classes);
        scratch.Execute("create table samples (id integer primary key, class integer not null, digest blob not null, role text, camera integer, hash integer not null)");
        insert = scratch.Prepare("insert into samples values ($1, $2, $3, $4, $5, $6)");
    }

    public int Count { get; private set; }

    public void Add(DatasetSample sample)
    {
        var hash = long.Parse(sample.PerceptualHash, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        insert.Run(Count++, classes.NumberOf(sample.Class), Digest.Parse(sample.Sha256).ToBytes(), sample.Role, sample.Camera, hash);
        widths[sample.Width] = widths.GetValueOrDefault(sample.Width) + 1;
        heights[sample.Height] = heights.GetValueOrDefault(sample.Height) + 1;
    }

    public int MedianWidth() => Median(widths);

    public int MedianHeight() => Median(heights);

    public string ContentHash()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        scratch.Execute("create table ranks (class integer primary key, rank integer not null)");
        var rank = scratch.Prepare("insert into ranks values ($1, $2)");
        foreach (var (place, number) in Enumerable.Range(0, classes.Count).OrderBy(number => classes[number], StringComparer.Ordinal).Index()) rank.Run(number, place);
        foreach (var line in scratch.Query("select s.class, s.digest, s.role, s.camera from samples s join ranks r on r.class = s.class order by r.rank, s.digest", row =>
        {
            var protocol = row.IsDBNull(2) && row.IsDBNull(3) ? "" : $"\t{(row.IsDBNull(2) ? null : row.GetString(2))}\t{(row.IsDBNull(3) ? null : row.GetInt32(3))}";
            return $"{classes[row.GetInt32(0)]}\t{Digest.FromBytes(row.GetFieldValue<byte[]>(1))}{protocol}\n";
        })) hash.AppendData(Encoding.UTF8.GetBytes(line));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Pairs of numbers of samples, and the class of each sample that is in one.</summary>
    public (NearDuplicateReport Report, Func<int, string> ClassOf) NearDuplicates(int distance, int mostPairs)
    {
        var (hashes, classOf) = (new ulong[Count], new int[Count]);
        foreach (var (id, hash, number) in scratch.Query("select id, hash, class from samples", row => (row.GetInt32(0), unchecked((ulong)row.GetInt64(1)), row.GetInt32(2))))
            (hashes[id], classOf[id]) = (hash, number);
        return (Writing.NearDuplicates.Find(hashes, classOf, distance, mostPairs), sample => classes[classOf[sample]]);
    }

    private int Median(SortedDictionary<int, int> counts)
    {
        var before = 0;
        return counts.First(size => (before += size.Value) > Count / 2).Key;
    }
}
