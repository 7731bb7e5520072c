using DmlPipeline.Learning.Models;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DmlPipeline.Learning.Backbones;

/// <summary>
/// ViT-S/16 (Dosovitskiy et al., arXiv 2010.11929; the small width of Touvron et al., arXiv 2012.12877) with timm's parameter names, which DeiT and DINO share:
/// images [B, C, H, W] to the class token as a map [B, 384, 1, 1], or to all patches as a map [B, 384, H/16, W/16], as the pooling needs.
/// </summary>
internal sealed class VisionTransformer : nn.Module<Tensor, Tensor>
{
    public const int Width = 384, Patch = 16;
    private const int Depth = 12;

    // The fields are named as their tensors are in timm.
    private readonly Parameter cls_token, pos_embed;
    private readonly Sequential patch_embed, blocks;
    private readonly LayerNorm norm;
    private readonly bool givesClassToken;

    public VisionTransformer(ModelSpec spec) : base(nameof(VisionTransformer))
    {
        givesClassToken = spec.Pooling is Pooling.Auto or Pooling.ClassToken;
        cls_token = new Parameter(zeros([1, 1, Width]));
        pos_embed = new Parameter(zeros([1, 1 + (spec.Input.Height / Patch * (spec.Input.Width / Patch)), Width]));
        patch_embed = nn.Sequential(("proj", nn.Conv2d(spec.Input.Channels, Width, Patch, stride: Patch)));
        blocks = nn.Sequential([.. Enumerable.Range(0, Depth).Select(_ => new TransformerBlock(Width))]);
        norm = nn.LayerNorm(Width, TransformerBlock.Epsilon);
        register_parameter(nameof(cls_token), cls_token);
        register_parameter(nameof(pos_embed), pos_embed);
        register_module(nameof(patch_embed), patch_embed);
        register_module(nameof(blocks), blocks);
        register_module(nameof(norm), norm);
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var patches = patch_embed.call(input); // [B, D, h, w]
        var (batch, rows, columns) = (patches.shape[0], patches.shape[2], patches.shape[3]);
        var tokens = cat([cls_token.expand(batch, 1, Width), patches.flatten(2).transpose(1, 2)], 1); // [B, 1 + h w, D]
        var seen = norm.call(blocks.call(tokens + pos_embed));
        var map = givesClassToken
            ? seen.narrow(1, 0, 1).reshape(batch, Width, 1, 1)
            : seen.narrow(1, 1, rows * columns).transpose(1, 2).reshape(batch, Width, rows, columns);
        return map.MoveToOuterDisposeScope();
    }
}

/// <summary>Attention and a small network of two layers, each after a normalisation and with a way around: [B, N, D] to [B, N, D].</summary>
internal sealed class TransformerBlock : nn.Module<Tensor, Tensor>
{
    public const double Epsilon = 1e-6;
    private readonly LayerNorm norm1, norm2;
    private readonly Attention attn;
    private readonly Mlp mlp;

    public TransformerBlock(int width) : base(nameof(TransformerBlock))
    {
        norm1 = nn.LayerNorm(width, Epsilon);
        attn = new Attention(width);
        norm2 = nn.LayerNorm(width, Epsilon);
        mlp = new Mlp(width);
        register_module(nameof(norm1), norm1);
        register_module(nameof(attn), attn);
        register_module(nameof(norm2), norm2);
        register_module(nameof(mlp), mlp);
    }

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = input + attn.call(norm1.call(input));
        return (x + mlp.call(norm2.call(x))).MoveToOuterDisposeScope();
    }

    /// <summary>softmax(Q K^T / sqrt(d)) V in heads of d = 64 values (Vaswani et al., arXiv 1706.03762).</summary>
    private sealed class Attention : nn.Module<Tensor, Tensor>
    {
        private const int HeadWidth = 64;
        private static readonly double Scale = 1 / Math.Sqrt(HeadWidth);
        private readonly Linear qkv, proj;

        public Attention(int width) : base(nameof(Attention))
        {
            qkv = nn.Linear(width, 3 * width);
            proj = nn.Linear(width, width);
            register_module(nameof(qkv), qkv);
            register_module(nameof(proj), proj);
        }

        public override Tensor forward(Tensor input)
        {
            using var scope = NewDisposeScope();
            var (batch, tokens, width) = (input.shape[0], input.shape[1], input.shape[2]);
            var parts = qkv.call(input).reshape(batch, tokens, 3, width / HeadWidth, HeadWidth).permute(2, 0, 3, 1, 4).unbind(0); // 3 x [B, heads, N, d]
            var weights = (parts[0] * Scale).matmul(parts[1].transpose(2, 3)).softmax(-1); // [B, heads, N, N]
            var mixed = weights.matmul(parts[2]).transpose(1, 2).reshape(batch, tokens, width);
            return proj.call(mixed).MoveToOuterDisposeScope();
        }
    }

    private sealed class Mlp : nn.Module<Tensor, Tensor>
    {
        private const int Widening = 4;
        private readonly Linear fc1, fc2;

        public Mlp(int width) : base(nameof(Mlp))
        {
            fc1 = nn.Linear(width, Widening * width);
            fc2 = nn.Linear(Widening * width, width);
            register_module(nameof(fc1), fc1);
            register_module(nameof(fc2), fc2);
        }

        public override Tensor forward(Tensor input)
        {
            using var wide = fc1.call(input);
            using var active = wide.gelu();
            return fc2.call(active);
        }
    }
}
