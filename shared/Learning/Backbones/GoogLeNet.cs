using DmlPipeline.Learning.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Backbones;

/// <summary>
/// GoogLeNet, the first Inception (Szegedy et al., arXiv 1409.4842), as torchvision has it: with batch normalisation, 3x3 where the paper has 5x5,
/// torchvision's parameter names, and without the auxiliary classifiers, which only training from nothing needs.
/// </summary>
internal static class GoogLeNet
{
    /// <summary>Images [B, C, H, W] to feature maps [B, 1024, H/32, W/32].</summary>
    public static nn.Module<Tensor, Tensor> Build(ModelSpec spec) => nn.Sequential(
        ("conv1", Step(spec.Input.Channels, 64, 7, stride: 2)),
        ("maxpool1", nn.MaxPool2d(3, 2, ceil_mode: true)),
        ("conv2", Step(64, 64, 1)),
        ("conv3", Step(64, 192, 3)),
        ("maxpool2", nn.MaxPool2d(3, 2, ceil_mode: true)),
        ("inception3a", new Inception(192, 64, (96, 128), (16, 32), 32)),
        ("inception3b", new Inception(256, 128, (128, 192), (32, 96), 64)),
        ("maxpool3", nn.MaxPool2d(3, 2, ceil_mode: true)),
        ("inception4a", new Inception(480, 192, (96, 208), (16, 48), 64)),
        ("inception4b", new Inception(512, 160, (112, 224), (24, 64), 64)),
        ("inception4c", new Inception(512, 128, (128, 256), (24, 64), 64)),
        ("inception4d", new Inception(512, 112, (144, 288), (32, 64), 64)),
        ("inception4e", new Inception(528, 256, (160, 320), (32, 128), 128)),
        ("maxpool4", nn.MaxPool2d(2, 2, ceil_mode: true)),
        ("inception5a", new Inception(832, 256, (160, 320), (32, 128), 128)),
        ("inception5b", new Inception(832, 384, (192, 384), (48, 128), 128)));

    private static ConvNorm Step(int from, int to, int kernel, int stride = 1) => new(
        ("conv", nn.Conv2d(from, to, kernel, stride: stride, padding: kernel / 2, bias: false)), ("bn", nn.BatchNorm2d(to, eps: 0.001)), x => x.relu());

    /// <summary>Four ways side by side, whose channels are joined: 1x1; 1x1 then 3x3, twice; and a max pool then 1x1.</summary>
    private sealed class Inception : nn.Module<Tensor, Tensor>
    {
        private readonly List<nn.Module<Tensor, Tensor>> branches;

        public Inception(int from, int plain, (int Narrow, int Wide) second, (int Narrow, int Wide) third, int pooled) : base(nameof(Inception))
        {
            branches =
            [
                Step(from, plain, 1),
                nn.Sequential(Step(from, second.Narrow, 1), Step(second.Narrow, second.Wide, 3)),
                nn.Sequential(Step(from, third.Narrow, 1), Step(third.Narrow, third.Wide, 3)),
                nn.Sequential(nn.MaxPool2d(3, 1, 1, ceil_mode: true), Step(from, pooled, 1)),
            ];
            for (var i = 0; i < branches.Count; i++) register_module($"branch{i + 1}", branches[i]);
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            return cat([.. branches.Select(branch => branch.call(input))], 1).MoveToOuterDisposeScope();
        }
    }
}
