using DmlPipeline.Learning.Data;

namespace DmlPipeline.Learning.Baselines;

/// <summary>Pairs of images drawn at random, as many of one class as of two; the same for the same seed.</summary>
internal static class PairDraw
{
    /// <summary>
    /// First the pairs of one class, then as many of two classes. The first image of each is drawn from all (that are not alone in their class), its
    /// partner from its own class or from all others.
    /// </summary>
    public static (int First, int Second)[] Draw(int[] labels, int pairs, long seed)
    {
        // Images in the order of their classes: a class is a block, and what is not of the class lies before and after it.
        var order = Enumerable.Range(0, labels.Length).OrderBy(i => labels[i]).ToArray();
        var (start, size) = (new int[order.Length], new int[order.Length]);
        for (var first = 0; first < order.Length;)
        {
            var end = first;
            while (end < order.Length && labels[order[end]] == labels[order[first]]) end++;
            for (var place = first; place < end; place++) (start[place], size[place]) = (first, end - first);
            first = end;
        }
        var paired = Enumerable.Range(0, order.Length).Where(place => size[place] > 1).ToArray();

        var random = new CounterRandom(seed, 0);
        var drawn = new (int, int)[2 * pairs];
        for (var pair = 0; pair < pairs; pair++)
        {
            var place = paired[random.Below(paired.Length)];
            var other = start[place] + random.Below(size[place] - 1);
            drawn[pair] = (order[place], order[other >= place ? other + 1 : other]);

            place = random.Below(order.Length);
            other = random.Below(order.Length - size[place]);
            drawn[pairs + pair] = (order[place], order[other >= start[place] ? other + size[place] : other]);
        }
        return drawn;
    }
}
