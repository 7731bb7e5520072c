using DmlPipeline.Learning.Training;

namespace DmlPipeline.Tests.Torch.Learning.Training;

public sealed class SamplingTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("dml-sampling-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(4)]
    [InlineData(6)]
    [InlineData(9)]
    public void A_resumed_run_with_smart_mining_gives_the_same_weights_bit_for_bit(int interruptedAfter) =>
        // Six steps an epoch: the neighbours are mined between the sixth and the seventh.
        Resumption.ShouldChangeNothing(folder, NoisyShapes.Recipe("sampler: {kind: smart-mining, classes: 4, images_per_class: 4, neighbours: 2}"), interruptedAfter);

    [Fact]
    public void Smart_mining_teaches_the_network_to_find_unseen_classes()
    {
        var recipe = NoisyShapes.Recipe("epochs: 8\nsampler: {kind: smart-mining, classes: 4, images_per_class: 4, neighbours: 1}");

        TrainingLoop.Run(NoisyShapes.Job(folder, recipe), CancellationToken.None).Best!.ValidationRecall1!.Value.ShouldBeGreaterThan(0.75);
    }

    [Fact]
    public void Class_balanced_batches_train_class_weights()
    {
        var recipe = NoisyShapes.Recipe("epochs: 8\nloss: {name: ln}\nsampler: {kind: class-balanced, classes: 4, images_per_class: 4}");

        TrainingLoop.Run(NoisyShapes.Job(folder, recipe), CancellationToken.None).Best!.ValidationRecall1!.Value.ShouldBeGreaterThan(0.75);
    }

    [Fact]
    public void A_hierarchical_sampler_says_that_it_needs_folders() =>
        Should.Throw<InvalidDataException>(() => TrainingLoop.Run(
            NoisyShapes.Job(folder, NoisyShapes.Recipe("sampler: {kind: hierarchical, classes: 4, images_per_class: 4}")), CancellationToken.None))
            .Message.ShouldContain("not grouped in folders");
}
