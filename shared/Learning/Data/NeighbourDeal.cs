namespace DmlPipeline.Learning.Data;

/// <summary>Deals classes out over the batches of an epoch, each class drawn at random followed by its nearest classes that are still to be had.</summary>
internal sealed class NeighbourDeal(int[] counts, int[][] neighbours, int neighboursPerClass, int batches, int perBatch)
{
    private readonly int[] left = [.. counts];
    private readonly int[] batchOf = [.. Enumerable.Repeat(-1, counts.Length)];

    // Classes with groups left, and where each lies in that list: one is drawn, and struck off, without a search.
    private readonly List<int> open = [.. Enumerable.Range(0, counts.Length).Where(c => counts[c] > 0)];
    private readonly int[] placeInOpen = [.. Enumerable.Range(0, counts.Length)];

    /// <summary>Entry b * perBatch + p is place p of batch b, and the how-manieth group of its class that is. Counts add up to all places, none above the batches.</summary>
    public (int Class, int Number)[] Deal(ref CounterRandom random)
    {
        for (var place = 0; place < open.Count; place++) placeInOpen[open[place]] = place;
        var places = new (int Class, int Number)[batches * perBatch];
        var batch = new List<int>(perBatch);
        for (var b = 0; b < batches; b++)
        {
            batch.Clear();
            // A class with as many groups left as there are batches has to be in every one of them.
            foreach (var c in open) if (left[c] == batches - b) Add(c, b, batch);
            while (batch.Count < perBatch)
            {
                var drawn = open[random.Below(open.Count)];
                if (batchOf[drawn] == b) continue;
                Add(drawn, b, batch);
                var brought = 0;
                foreach (var near in neighbours[drawn])
                {
                    if (batch.Count == perBatch || brought == neighboursPerClass) break;
                    if (left[near] == 0 || batchOf[near] == b) continue;
                    Add(near, b, batch);
                    brought++;
                }
            }
            for (var p = 0; p < perBatch; p++) places[(b * perBatch) + p] = (batch[p], counts[batch[p]] - left[batch[p]]--);
            foreach (var c in batch.Where(c => left[c] == 0)) Strike(c);
        }
        return places;
    }

    private void Add(int @class, int batchNumber, List<int> batch)
    {
        batchOf[@class] = batchNumber;
        batch.Add(@class);
    }

    private void Strike(int @class)
    {
        var last = open[^1];
        (open[placeInOpen[@class]], placeInOpen[last]) = (last, placeInOpen[@class]);
        open.RemoveAt(open.Count - 1);
    }
}
