using DmlPipeline.Learning.Data;

namespace DmlPipeline.Tests.Torch.Learning.Data;

public sealed class HierarchicalSamplerTests
{
    // Alphabets of 14, 6, 9 and 3 letters, with 5 to 8 drawings each.
    private static readonly int[] SuperClasses = [.. new[] { 14, 6, 9, 3 }.SelectMany((letters, alphabet) => Enumerable.Repeat(alphabet, letters))];
    private static readonly int[] Labels = PatternSet.Labels([.. SuperClasses.Select((_, letter) => 5 + (letter % 4))]);

    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 8)]
    [InlineData(2, 12)]
    [InlineData(3, 12)]
    [InlineData(9, 8)]
    public void A_batch_holds_different_classes_of_few_super_classes(int superClasses, int classes)
    {
        var sampler = new HierarchicalSampler(Labels, SuperClasses, superClasses, classes, 4, seed: 3);
        var parts = Math.Min(superClasses, 4);

        foreach (var batch in Seen.Batches(sampler, 3))
        {
            batch.Length.ShouldBe(classes * 4);
            var letters = batch.Chunk(4).Select(group => Labels[group[0]]).ToList();
            batch.Chunk(4).ShouldAllBe(group => group.Distinct().Count() == 4 && group.All(image => Labels[image] == Labels[group[0]]));
            letters.Distinct().Count().ShouldBe(classes, "no class comes twice");
            // Greek has three letters only: it is filled up with others.
            var full = letters.GroupBy(letter => SuperClasses[letter]).Where(alphabet => alphabet.Count() >= Math.Min(classes / parts, SuperClasses.Count(s => s == alphabet.Key)));
            full.Count().ShouldBeGreaterThanOrEqualTo(parts);
            if (letters.All(letter => SuperClasses[letter] != 3) && classes / parts <= 6) letters.Select(letter => SuperClasses[letter]).Distinct().Count().ShouldBe(parts);
        }
    }

    [Theory]
    [InlineData(1, 4, 4)]
    [InlineData(2, 8, 3)]
    [InlineData(4, 32, 2)]
    [InlineData(2, 100, 5)]
    public void Every_image_is_seen_in_every_epoch(int superClasses, int classes, int perClass)
    {
        var sampler = new HierarchicalSampler(Labels, SuperClasses, superClasses, classes, perClass, seed: 5);

        for (var epoch = 0; epoch < 4; epoch++) Seen.InEpoch(sampler, Labels.Length, epoch).Min().ShouldBeGreaterThanOrEqualTo(1);
    }

    [Fact]
    public void A_step_means_the_same_batch_in_any_order_and_after_a_restart()
    {
        var batches = Seen.Batches(Make(), 3);

        var restarted = Make();
        for (var step = batches.Length - 1; step >= 0; step--) restarted.Batch(step).ShouldBe(batches[step]);
        Make().Batch(7).ShouldBe(batches[7]);

        static HierarchicalSampler Make() => new(Labels, SuperClasses, 2, 8, 4, seed: 11);
    }

    [Fact]
    public void The_super_class_is_what_comes_before_the_last_slash()
    {
        HierarchicalSampler.Folders(["Greek/alpha", "Greek/beta turned 90°", "Latin/a", "Asia/Tamil/x", "loose"]).ShouldBe([2, 2, 3, 1, 0]);
        Should.Throw<InvalidDataException>(() => HierarchicalSampler.Folders(["a", "b"])).Message.ShouldContain("not grouped in folders");
    }
}
