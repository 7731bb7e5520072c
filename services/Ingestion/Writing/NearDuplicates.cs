using System.Numerics;

namespace DmlPipeline.Ingestion.Writing;

/// <param name="Pairs">Pairs of indexes, those between classes first: they are the likelier mistakes.</param>
/// <param name="Complete">False when the list was cut, or the search stopped, at its limit.</param>
internal sealed record NearDuplicateReport(IReadOnlyList<(int First, int Second, int Distance)> Pairs, bool Complete);

/// <summary>
/// Finds images whose 64-bit difference hashes differ in few bits. Two hashes that differ in at most d of 4 bands of 16 bits agree on
/// 4 - d bands, so sorting by each choice of 4 - d bands brings every pair together: n log n, plus the comparisons inside equal runs,
/// which are capped.
/// </summary>
internal static class NearDuplicates
{
    private const int Bands = 4;
    private const long MaxComparisons = 100_000_000;

    public static NearDuplicateReport Find<T>(IReadOnlyList<ulong> hashes, IReadOnlyList<T> classes, int distance, int maxPairs)
        where T : IEquatable<T>
    {
        var across = new List<(int, int, int)>();
        var within = new List<(int, int, int)>();
        var complete = true;
        var cut = false;
        var overflow = 0L;
        // Images that share a hash are one entry here; the pairs among them are listed at once.
        int[] byHash = [.. Enumerable.Range(0, hashes.Count)];
        Array.Sort(byHash, (a, b) => hashes[a] != hashes[b] ? hashes[a].CompareTo(hashes[b]) : a.CompareTo(b));
        var groups = Groups(hashes, byHash);
        foreach (var (_, start, end) in groups)
            for (var a = start; a < end && complete; a++)
                for (var b = a + 1; b < end && complete; b++)
                    Add(byHash[a], byHash[b], 0);

        var masks = Masks(Bands - distance).ToArray();
        var comparisons = 0L;
        var (order, index) = (new ulong[groups.Count], new int[groups.Count]);
        for (var m = 0; m < masks.Length && distance > 0; m++)
        {
            var mask = masks[m];
            for (var i = 0; i < groups.Count; i++) (order[i], index[i]) = (groups[i].Hash & mask, i);
            Array.Sort(order, index);
            for (int start = 0, end; start < order.Length; start = end)
            {
                for (end = start + 1; end < order.Length && order[end] == order[start]; end++)
                {
                }
                comparisons += (long)(end - start) * (end - start - 1) / 2;
                if (comparisons > MaxComparisons) return Report(searchedAll: false);
                // Array.Sort is not stable: equal keys are put back into hash order, so that a capped report is repeatable.
                Array.Sort(index, start, end - start);
                for (var a = start; a < end; a++)
                    for (var b = a + 1; b < end; b++)
                        Compare(groups[index[a]], groups[index[b]], m);
            }
        }
        return Report(complete);

        void Compare((ulong Hash, int Start, int End) x, (ulong Hash, int Start, int End) y, int pass)
        {
            var difference = x.Hash ^ y.Hash;
            var bits = BitOperations.PopCount(difference);
            if (bits > distance || SeenBefore(difference, pass)) return;
            foreach (var a in byHash.AsSpan(x.Start, x.End - x.Start))
            {
                foreach (var b in byHash.AsSpan(y.Start, y.End - y.Start))
                {
                    if (!complete) return;
                    Add(Math.Min(a, b), Math.Max(a, b), bits);
                }
            }
        }

        // A pair that agrees on more bands than needed meets in several passes; the first one counts.
        bool SeenBefore(ulong difference, int pass)
        {
            for (var earlier = 0; earlier < pass; earlier++)
                if ((difference & masks[earlier]) == 0) return true;
            return false;
        }

        void Add(int a, int b, int bits)
        {
            var list = classes[a].Equals(classes[b]) ? within : across;
            if (list.Count < maxPairs)
            {
                list.Add((a, b, bits));
                return;
            }
            // Pairs between classes are worth searching on for while only the other list is full.
            cut = true;
            if (across.Count >= maxPairs || ++overflow > MaxComparisons) complete = false;
        }

        NearDuplicateReport Report(bool searchedAll)
        {
            across.Sort();
            within.Sort();
            return new NearDuplicateReport([.. across.Concat(within).Take(maxPairs)], searchedAll && !cut && across.Count + within.Count <= maxPairs);
        }
    }

    /// <summary>Where the images of each hash begin and end, in order of the hashes.</summary>
    private static List<(ulong Hash, int Start, int End)> Groups(IReadOnlyList<ulong> hashes, int[] byHash)
    {
        var groups = new List<(ulong, int, int)>(byHash.Length);
        for (int start = 0, end; start < byHash.Length; start = end)
        {
            for (end = start + 1; end < byHash.Length && hashes[byHash[end]] == hashes[byHash[start]]; end++)
            {
            }
            groups.Add((hashes[byHash[start]], start, end));
        }
        return groups;
    }

    private static IEnumerable<ulong> Masks(int chosen)
    {
        for (var set = 0; set < 1 << Bands; set++)
        {
            if (BitOperations.PopCount((uint)set) != chosen) continue;
            var mask = 0UL;
            for (var band = 0; band < Bands; band++)
                if ((set >> band & 1) != 0) mask |= 0xFFFFUL << (16 * band);
            yield return mask;
        }
    }
}
