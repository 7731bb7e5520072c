using DmlPipeline.Learning.Data;
using DmlPipeline.Learning.Evaluation;
using DmlPipeline.Tests.Torch.Learning.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class EmbeddingTests
{
    [Fact]
    public void Every_image_is_embedded_in_its_place_whatever_the_batch_size()
    {
        using var set = PatternSet.Random(new ImageShape(3, 4, 5), 6, 5);
        using var model = new ChannelMeans();
        var told = new List<int>();

        var whole = Embedder.Embed(model, set, batchSize: 100, done: null, CancellationToken.None);
        var pieces = Embedder.Embed(model, set, batchSize: 4, told.Add, CancellationToken.None);

        told.ShouldBe([4, 8, 11]);
        pieces.ShouldBe(whole);
        var pixels = new byte[60];
        set.CopyPixels(7, pixels);
        for (var c = 0; c < 3; c++) whole[(7 * 3) + c].ShouldBe((float)pixels[(c * 20)..((c + 1) * 20)].Average(v => v), 1e-3f);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_models_mode_is_put_back_and_no_tensor_is_left(bool training)
    {
        using var set = PatternSet.Random(new ImageShape(1, 4, 5), 6);
        using var model = new ChannelMeans();
        model.train(training);
        using var scope = NewDisposeScope();

        Embedder.Embed(model, set, batchSize: 4, done: null, CancellationToken.None);

        model.training.ShouldBe(training);
        model.SawTraining.ShouldBeFalse();
        scope.DisposablesCount.ShouldBe(0);
    }

    [Fact]
    public void Raw_pixels_are_unit_vectors_of_the_ink()
    {
        var shape = new ImageShape(1, 4, 4);
        var paper = Enumerable.Repeat((byte)255, 16).ToArray();
        paper[5] = 0;
        using var onPaper = ImageSet.FromPixels(shape, ["a"], paper);
        using var onBoard = ImageSet.FromPixels(shape, ["a"], [.. paper.Select(v => (byte)(255 - v))]);

        var (ink, dimension) = RawPixels.Embed(onPaper, CancellationToken.None);

        dimension.ShouldBe(16);
        ink.Index().Where(x => x.Item != 0).ShouldBe([(5, 1f)]);
        RawPixels.Embed(onBoard, CancellationToken.None).Embeddings.ShouldBe(ink);
        (RawPixels.IsDarkOnLight(onPaper), RawPixels.IsDarkOnLight(onBoard)).ShouldBe((true, false));
    }

    [Fact]
    public void Raw_pixels_of_large_images_are_averaged_down_and_blank_images_stay_zero()
    {
        using var set = ImageSet.FromPixels(new ImageShape(3, 70, 64), ["a", "a"], new byte[2 * 3 * 70 * 64]);

        var (values, dimension) = RawPixels.Embed(set, CancellationToken.None);

        dimension.ShouldBe(3 * 32 * 32);
        values.ShouldAllBe(v => v == 0);
    }

    /// <summary>[N, C, H, W] bytes -> [N, C] means.</summary>
    private sealed class ChannelMeans() : nn.Module<Tensor, Tensor>("means")
    {
        public bool SawTraining { get; private set; }

        public override Tensor forward(Tensor input)
        {
            SawTraining |= training;
            return input.to(ScalarType.Float32).mean([2L, 3L]);
        }
    }
}
