using TorchSharp;
using TorchSharp.Modules;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Losses;

/// <summary>Manifold similarity: Aziere and Todorovic, CVPR 2019, "Ensemble deep manifold similarity learning using hard proxies", in the peer library's form.</summary>
/// <remarks>
/// <code>
/// S = e^{2 max(0, cos)} between the batch's images and K learned proxies, zero on the diagonal;   S̄ = D^{-1/2} S D^{-1/2}, D the row sums
/// G = (1 - α) (I - α S̄)⁻¹: where a random walk that goes on with probability α ends;   G_i its row of image or proxy i
/// intrinsic(x) = log(1 + sum over proxies k ≠ y with G_xk - G_xy + m ≥ 0 of e^{G_xk - G_xy + m}),   y the proxy of the image's class
/// context(x)   = the same of the cosines between the rows G_x and G_k
/// loss(x) = intrinsic(x) + λ context(x)
/// </code>
/// Classes share proxies at random when there are more classes than proxies.
/// </remarks>
public sealed class ManifoldLoss : MetricLoss
{
    public static LossEntry Entry { get; } = new(
        "manifold", "Aziere and Todorovic, CVPR 2019", "log(1 + sum_k [e_k ≥ 0] e^{e_k}), e_k = G_xk - G_xy + m; + λ the same of cosines of rows; G a random walk's end",
        context => new ManifoldLoss(context))
    {
        LearnsFromPairs = false,
        Options =
        [
            LossOption.Whole("proxies", 1000, 2, 10_000, "K, never more than classes; one for each learns, the peer library's 50 for hundreds hardly do. A step inverts a matrix of batch and proxies"),
            LossOption.Number("walk", 0.8, 0, 0.999, "α, the probability that the walk goes on; the peer library's"),
            LossOption.Number("margin", 5e-4, 0, 1, "m; the peer library's"),
            LossOption.Number("context", 1, 0, 1e4, "λ; the peer library's"),
            LossOption.Choice(
                ClassWeights.Start.Name, "[where class weights begin](#where-class-weights-begin); from proxies at random some images are turned away, and no gradient leads back",
                ClassWeights.StartAtClassMeans, ClassWeights.StartAtRandom, ClassWeights.StartWarm),
        ],
    };

    private readonly torch.Tensor proxyOfClass; // [M] int64
    private readonly double walk, margin, context;

    private ManifoldLoss(LossContext made)
    {
        (walk, margin, context) = (made.Number("walk"), made.Number("margin"), made.Number("context"));
        var count = Math.Min((int)made.Number("proxies"), made.Classes);
        ClassWeights = new ClassWeights(count, made.Dimensions, perClass: 1, deviation: 1, hasBias: false, share: 1, made.Device);
        var order = torch.arange(0, made.Classes, 1, torch.ScalarType.Int64);
        // As many classes for each proxy, which ones is drawn.
        if (count < made.Classes) order = torch.rand([made.Classes]).argsort().remainder(count);
        proxyOfClass = order.to(made.Device).DetachFromDisposeScope();
        Buffers = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal) { ["proxy_of_class"] = proxyOfClass };
    }

    /// <inheritdoc />
    public override ClassWeights ClassWeights { get; }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, Parameter> Parameters => ClassWeights.Parameters;

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, torch.Tensor> Buffers { get; }

    /// <summary>The walk is through the whole batch.</summary>
    public override bool IsSumOverAnchors => false;

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        if (input.IsEmpty) return [LossTerms.Nothing(input.Anchors)];
        var (_, proxies, _) = ClassWeights.For(input);
        var own = proxyOfClass.index_select(0, input.AnchorLabels).unsqueeze(1);                          // [B, 1]
        var (images, count) = (input.Anchors.shape[0], proxies.shape[0]);
        var ends = Walk(F.normalize(torch.cat([input.Anchors, proxies])));                                // [B + K, B + K]
        var rows = F.normalize(ends);
        var (ofImages, ofProxies) = (rows.narrow(0, 0, images), rows.narrow(0, images, count));
        return
        [
            PerImage(ends.narrow(0, 0, images).narrow(1, images, count), own),
            PerImage(ofImages.matmul(ofProxies.t()), own).Times(context),
        ];
    }

    /// <inheritdoc />
    public override void BeginAt(torch.Tensor means)
    {
        using var noGradient = torch.no_grad();
        using var scope = torch.NewDisposeScope();
        var proxies = Parameters["weights"];
        ClassWeights.BeginAt(torch.zeros(proxies.shape, proxies.dtype, proxies.device).index_add_(0, proxyOfClass, F.normalize(means), 1));
    }

    private torch.Tensor Walk(torch.Tensor unit)
    {
        var count = unit.shape[0];
        var identity = torch.eye(count, count, unit.dtype, unit.device);
        var near = (unit.matmul(unit.t()).clamp_min(0) * 2).exp() * (1 - identity);
        var root = near.sum(1).sqrt();                                                                    // at least one, with a proxy and an image
        var steps = near / root.unsqueeze(1) / root.unsqueeze(0);
        return torch.linalg.solve(identity - (steps * walk), identity) * (1 - walk);
    }

    /// <summary>Similarities to the proxies [B, K] and the own one's place [B, 1].</summary>
    private LossTerms PerImage(torch.Tensor s, torch.Tensor own)
    {
        var excess = s - s.gather(1, own) + margin;
        var others = torch.arange(0, s.shape[1], 1, torch.ScalarType.Int64, s.device).unsqueeze(0).ne(own);
        var perImage = Stable.Log1pSumExp(excess, others.logical_and(excess.detach().ge(0)));
        return new LossTerms(perImage, torch.ones(perImage.shape, torch.ScalarType.Bool, s.device));
    }
}
