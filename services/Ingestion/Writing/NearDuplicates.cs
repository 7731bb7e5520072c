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

    public static NearDuplicateReport Find(IReadOnlyList<ulong> hashes, IReadOnlyList<string> classes, int distance, int maxPairs)
    {
        var across = new List<(int, int, int)>();
        var within = new List<(int, int, int)>();
        var complete = true;
        var cut = false;
        var overflow = 0L;
        // Images that share a hash are one entry here; the pairs among them are listed at once.
        var groups = Enumerable.Range(0, hashes.Count).GroupBy(i => hashes[i]).OrderBy(g => g.Key).Select(g => (Hash: g.Key, Members: g.ToArray())).ToArray();
        foreach (var (_, members) in groups)
            for (var a = 0; a < members.Length && complete; a++)
                for (var b = a + 1; b < members.Length && complete; b++)
                    Add(members[a], members[b], 0);

        var masks = Masks(Bands - distance).ToArray();
        var comparisons = 0L;
        for (var m = 0; m < masks.Length && distance > 0; m++)
        {
            var mask = masks[m];
            var order = groups.Select(g => g.Hash & mask).ToArray();
            var index = Enumerable.Range(0, groups.Length).ToArray();
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

        void Compare((ulong Hash, int[] Members) x, (ulong Hash, int[] Members) y, int pass)
        {
            var difference = x.Hash ^ y.Hash;
            var bits = BitOperations.PopCount(difference);
            if (bits > distance || SeenBefore(difference, pass)) return;
            foreach (var a in x.Members)
            {
                foreach (var b in y.Members)
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
            var list = classes[a] == classes[b] ? within : across;
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
