using DmlPipeline.Learning.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Backbones;

/// <summary>Four blocks of convolution 3x3 (64), batch normalisation, ReLU and max pool 2: the small network of Vinyals et al., arXiv 1606.04080.</summary>
internal sealed class Conv4 : nn.Module<Tensor, Tensor>
{
    public const int Width = 64;
    private readonly List<Block> blocks = [];

    public Conv4(ModelSpec spec) : base(nameof(Conv4))
    {
        var channels = spec.Input.Channels;
        for (var i = 1; i <= 4; i++)
        {
            blocks.Add(new Block(channels, Width));
            register_module($"block{i}", blocks[^1]);
            channels = Width;
        }
    }

    public override Tensor forward(Tensor input)
    {
        var x = input;
        foreach (var block in blocks)
        {
            var next = block.call(x);
            // Outside training nothing else holds the activations of earlier blocks: freed at once, they do not add up.
            if (!ReferenceEquals(x, input)) x.Dispose();
            x = next;
        }
        return x;
    }

    private sealed class Block : nn.Module<Tensor, Tensor>
    {
        private readonly Conv2d conv;
        private readonly BatchNorm2d bn;
        private readonly MaxPool2d pool = nn.MaxPool2d(2);

        public Block(int from, int to) : base(nameof(Block))
        {
            conv = nn.Conv2d(from, to, 3, padding: 1, bias: false); // the batch normalisation that follows has the bias
            bn = nn.BatchNorm2d(to);
            register_module(nameof(conv), conv);
            register_module(nameof(bn), bn);
        }

        public override Tensor forward(Tensor input)
        {
            using var convolved = conv.call(input);
            using var normalised = bn.call(convolved);
            // The maximum of rectified values is the rectified maximum: pooling first leaves a quarter of the values to rectify.
            using var pooled = pool.call(normalised);
            return pooled.relu();
        }
    }
}
