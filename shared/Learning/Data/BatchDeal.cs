namespace DmlPipeline.Learning.Data;

/// <summary>
/// Deals items (groups of a class's images, batches of a folder's classes) out over the batches of an epoch: every item as often as it needs at least,
/// none twice in a batch, all batches full.
/// </summary>
internal static class BatchDeal
{
    /// <summary>The fewest batches of <paramref name="perBatch"/> places in which every item gets as many places as it needs, one per batch.</summary>
    public static int Batches(IReadOnlyCollection<int> needs, int perBatch) =>
        (int)Math.Max(needs.Max(), (needs.Sum(need => (long)need) + perBatch - 1) / perBatch);

    /// <summary>How many places each item gets: in proportion to its weight, at least what it needs, at most one per batch; all places are given away.</summary>
    /// <param name="needs">By item; none above <paramref name="batches"/>.</param>
    /// <param name="weights">By item, above zero.</param>
    /// <param name="order">Items in the order in which chance rounds their shares.</param>
    /// <param name="batches">At least what <see cref="Batches"/> says.</param>
    /// <param name="perBatch">At most the number of items.</param>
    /// <param name="random">Rounds shares up or down, without bias.</param>
    public static int[] Counts(int[] needs, int[] weights, int[] order, int batches, int perBatch, ref CounterRandom random)
    {
        var total = (long)batches * perBatch;
        var level = Level(needs, weights, batches, total);
        var counts = new int[needs.Length];
        var fractions = new double[needs.Length];
        var left = total;
        for (var i = 0; i < counts.Length; i++)
        {
            var share = Share(i, level);
            counts[i] = (int)Math.Floor(share + 1e-9);
            fractions[i] = Math.Max(0, share - counts[i]);
            left -= counts[i];
        }

        // Systematic rounding: one random offset for the running sum of fractions rounds every share up or down and keeps the total.
        var sum = random.NextDouble();
        foreach (var i in order)
        {
            var before = Math.Floor(sum);
            sum += fractions[i];
            if (left == 0 || Math.Floor(sum) <= before || counts[i] >= batches) continue;
            counts[i]++;
            left--;
        }
        // Rounding errors of the running sum can leave a place over; it goes to the first items with room.
        for (var i = 0; left > 0; i = (i + 1) % order.Length)
        {
            if (counts[order[i]] >= batches) continue;
            counts[order[i]]++;
            left--;
        }
        return counts;

        double Share(int item, double atLevel) => Math.Clamp(atLevel * weights[item], needs[item], batches);
    }

    /// <summary>Spreads the items over the batches: entry b * perBatch + p is place p of batch b, and the how-manieth place of its item that is.</summary>
    /// <param name="counts">By item; at most <paramref name="batches"/> each, and just as many as there are places.</param>
    /// <param name="order">Items in the order in which they are dealt.</param>
    /// <param name="batches">Batches of the epoch.</param>
    /// <param name="perBatch">Places of a batch.</param>
    /// <param name="random">Mixes.</param>
    public static (int Item, int Number)[] Deal(int[] counts, int[] order, int batches, int perBatch, ref CounterRandom random)
    {
        // Dealt round the table, an item's places (at most one per batch) fall into different batches.
        var places = new (int Item, int Number)[batches * perBatch];
        var dealt = 0;
        foreach (var item in order)
            for (var number = 0; number < counts[item]; number++, dealt++)
                places[(dealt % batches * perBatch) + (dealt / batches)] = (item, number);

        // That alone would let the same items meet again and again: random swaps that keep the rule mix them.
        for (var sweep = 0; sweep < 2 && batches > 1; sweep++)
        {
            for (var i = 0; i < places.Length; i++)
            {
                var j = random.Below(places.Length);
                if (i / perBatch == j / perBatch || Holds(places, perBatch, i / perBatch, places[j].Item) || Holds(places, perBatch, j / perBatch, places[i].Item)) continue;
                (places[i], places[j]) = (places[j], places[i]);
            }
        }
        return places;
    }

    /// <summary>0 … count-1 in random order.</summary>
    public static int[] Shuffled(int count, ref CounterRandom random)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++) order[i] = i;
        random.Shuffle<int>(order);
        return order;
    }

    /// <summary>Places per weight at which the shares, kept within their bounds, add up to the total.</summary>
    private static double Level(int[] needs, int[] weights, int batches, long total)
    {
        double low = 0, high = (double)batches / weights.Min();
        for (var halving = 0; halving < 100; halving++)
        {
            var middle = (low + high) / 2;
            double sum = 0;
            for (var i = 0; i < needs.Length; i++) sum += Math.Clamp(middle * weights[i], needs[i], batches);
            if (sum < total) low = middle;
            else high = middle;
        }
        return high;
    }

    private static bool Holds((int Item, int Number)[] places, int perBatch, int batch, int item)
    {
        foreach (var place in places.AsSpan(batch * perBatch, perBatch))
            if (place.Item == item) return true;
        return false;
    }
}
