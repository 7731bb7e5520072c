using DmlPipeline.Learning.Data;

namespace DmlPipeline.Tests.Torch.Learning.Data;

public sealed class ShuffleSamplerTests
{
    [Fact]
    public void An_epoch_is_a_permutation_filled_up_from_its_start()
    {
        var sampler = new ShuffleSampler(103, 10, seed: 4);

        sampler.StepsPerEpoch.ShouldBe(11);
        var epoch = Enumerable.Range(0, 11).SelectMany(s => sampler.Batch(s)).ToArray();
        epoch[..103].Order().ShouldBe(Enumerable.Range(0, 103));
        epoch[103..].ShouldBe(epoch[..7]);
    }

    [Fact]
    public void A_step_means_the_same_batch_after_a_restart_and_another_one_in_the_next_epoch()
    {
        var sampler = new ShuffleSampler(50, 8, seed: 4);
        var later = sampler.Batch(23);

        new ShuffleSampler(50, 8, seed: 4).Batch(23).ShouldBe(later);
        sampler.Batch(23 + sampler.StepsPerEpoch).ShouldNotBe(later);
    }

    [Fact]
    public void A_batch_is_never_larger_than_the_set() => new ShuffleSampler(5, 64, seed: 0).Batch(9).Order().ShouldBe([0, 1, 2, 3, 4]);
}
