using TorchSharp;
using TorchSharp.Modules;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Learning.Losses;

/// <summary>Softmax whose own-class logit is made harder by an angular margin: the face recognition family, with one centre per class or several.</summary>
/// <remarks>
/// <code>
/// loss(x) = -log softmax_y(z),   z_j = c cos θ_j for j ≠ y,   z_y = c ψ(θ_y)
/// cosface:            ψ = cos θ - m                                      c = s           Wang et al., CVPR 2018, arXiv 1801.09414 (AM-softmax: arXiv 1801.05599)
/// arcface:            ψ = cos(θ + m), past θ = π - m: cos θ - m sin m    c = s           Deng et al., CVPR 2019, arXiv 1801.07698
///                     easy_margin, as in the official code: cos(θ + m) up to θ = π / 2, past it cos θ
/// sub-centre-arcface: as arcface, cos θ_j = the largest over the class's K centres       Deng et al., ECCV 2020
/// dynamic-arcface:    as sub-centre-arcface, m_y = a n_y^-λ + b of a class of n_y images   Ha et al., arXiv 2010.05350
/// sphereface:         ψ = (-1)^k cos(mθ) - 2k, k = ⌊mθ/π⌋                c = |f|         Liu et al., CVPR 2017, arXiv 1704.08063
/// l-softmax:          the same ψ                                         c = |w| |f|     Liu et al., ICML 2016, arXiv 1612.02295
/// </code>
/// sphereface and l-softmax begin near plain softmax: ψ is mixed with cos θ at λ : 1, λ falling over the run as in the official code.
/// </remarks>
public sealed class MarginSoftmaxLoss : MetricLoss
{
    private static readonly LossOption EasyMargin = LossOption.Flag("easy_margin", false, "the margin only for images nearer than a right angle to their class; off, as in the paper");

    public static IReadOnlyList<LossEntry> Entries { get; } =
    [
        Cosine("cosface", "Wang et al., CVPR 2018, arXiv 1801.09414", "-log softmax_y(s cos θ_j, s (cos θ_y - m))", 0.35, "m; the paper's", AngularMargin.Subtracted),
        Cosine("arcface", "Deng et al., CVPR 2019, arXiv 1801.07698", "-log softmax_y(s cos θ_j, s cos(θ_y + m))", 0.5, "m in radians (28.6 degrees); the paper's", AngularMargin.Added, EasyMargin),
        Cosine("sub-centre-arcface", "Deng et al., ECCV 2020", "arcface with cos θ_j = max over K centres", 0.5, "m in radians; the paper's", AngularMargin.Added, EasyMargin,
            LossOption.Whole("centres", 3, 1, 100, "K centres per class, so that mislabelled images find one of their own; the paper's")),
        Cosine("dynamic-arcface", "Ha et al., arXiv 2010.05350", "sub-centre-arcface with m_y = a n_y^-λ + b, n_y the images of class y", 0.5, "m of the smallest class, in radians; the paper's", AngularMargin.Added, EasyMargin,
            LossOption.Whole("centres", 3, 1, 100, "K centres per class; the paper's"),
            LossOption.Number("least_margin", 0.05, 0, 1.5, "m of the largest class; the paper's. The two give a and b"),
            LossOption.Number("power", 0.25, 0, 2, "λ, how fast margins fall as classes grow; the paper's")),
        Multiplied("sphereface", "Liu et al., CVPR 2017, arXiv 1704.08063", "-log softmax_y(|f| cos θ_j, |f| ψ(θ_y))", LogitScale.Feature),
        Multiplied("l-softmax", "Liu et al., ICML 2016, arXiv 1612.02295", "-log softmax_y(|w||f| cos θ_j, |w||f| ψ(θ_y))", LogitScale.FeatureAndWeight),
    ];

    private readonly MarginSoftmaxForm form;
    private readonly torch.Tensor? marginOfClass; // [M], or one margin for all

    /// <summary>Compares with the given weights, form.Centres for each class. Margins may differ between classes: [M] of them.</summary>
    public MarginSoftmaxLoss(ClassWeights weights, MarginSoftmaxForm form, double[]? margins, torch.Device device)
    {
        (ClassWeights, this.form) = (weights, form);
        // A buffer, so that a resumed run goes on with them.
        if (margins is null) return;
        marginOfClass = torch.tensor(margins).to(torch.ScalarType.Float32).to(device).DetachFromDisposeScope();
        Buffers = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal) { ["margins"] = marginOfClass };
    }

    /// <inheritdoc />
    public override ClassWeights ClassWeights { get; }

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, Parameter> Parameters => ClassWeights.Parameters;

    /// <inheritdoc />
    public override IReadOnlyDictionary<string, torch.Tensor> Buffers { get; } = new Dictionary<string, torch.Tensor>(StringComparer.Ordinal);

    /// <inheritdoc />
    public override IReadOnlyList<LossTerms> Terms(LossInput input)
    {
        var (labels, weights, _) = ClassWeights.For(input);
        // The official schedule, λ = max(5, 1500 / (1 + 0.1 t)) over 28,000 iterations t, by the share of the run.
        var lambda = form.Anneals ? Math.Max(5, 1500 / (1 + (2800 * Progress))) : 0;
        // A sample of classes has places of its own; margins go by the class.
        var margins = marginOfClass is null ? null : As(marginOfClass, input.Anchors).index_select(0, input.AnchorLabels);
        return [PerImage(input.Anchors, labels, weights, form with { Scale = form.Scale * Heat }, lambda, margins)];
    }

    /// <summary>The loss of each image. Features [B, D]; labels [B] int64; weights [M · K, D]; the share λ of the plain cosine; margins [B], or form's for all.</summary>
    public static LossTerms PerImage(torch.Tensor features, torch.Tensor labels, torch.Tensor weights, MarginSoftmaxForm form, double lambda, torch.Tensor? margins = null)
    {
        if (features.shape[0] == 0) return LossTerms.Nothing(features);
        var cosine = F.normalize(features).matmul(F.normalize(weights).t()); // [B, M · K]
        if (form.Centres > 1) cosine = cosine.reshape(features.shape[0], -1, form.Centres).amax([2]);
        var own = labels.unsqueeze(1);                                       // [B, 1]
        var target = cosine.gather(1, own);
        var harder = Harder(target, form, margins);
        if (lambda > 0) harder = ((target * lambda) + harder) / (1 + lambda);
        var logits = cosine.scatter(1, own, harder) * form.Scale;            // [B, M]
        if (form.LogitScale != LogitScale.Fixed) logits = logits * Stable.Sqrt(features.square().sum(1)).unsqueeze(1);
        if (form.LogitScale == LogitScale.FeatureAndWeight) logits = logits * Stable.Sqrt(weights.square().sum(1)).unsqueeze(0);
        var perImage = F.log_softmax(logits, 1).gather(1, own).squeeze(1).neg();
        return new LossTerms(perImage, labels.ge(0));
    }

    private static torch.Tensor Harder(torch.Tensor cosine, MarginSoftmaxForm form, torch.Tensor? margins)
    {
        switch (form.AngularMargin)
        {
            case AngularMargin.Subtracted:
                return cosine - form.Margin;
            case AngularMargin.Added:
                var m = (margins ?? torch.full([1], form.Margin, cosine.dtype, cosine.device)).unsqueeze(1); // of each image, or of all
                var (cosineOfMargin, sineOfMargin) = (m.cos(), m.sin());
                // cos(θ + m) by its addition theorem: the arc cosine's slope is infinite at 0 and 180 degrees.
                var added = (cosine * cosineOfMargin) - (Stable.Sqrt((1 - cosine.square()).clamp_min(0)) * sineOfMargin);
                return form.EasyMargin ? torch.where(cosine.gt(0), added, cosine)
                    : torch.where(cosine.ge(cosineOfMargin.neg()), added, cosine - (m * sineOfMargin));
            default:
                // cos(mθ) by Chebyshev's recursion; the number of half turns is a constant to the gradient.
                var (before, multiple) = (torch.ones_like(cosine), cosine);
                for (var n = 2; n <= (int)form.Margin; n++) (before, multiple) = (multiple, (cosine * multiple * 2) - before);
                using (torch.no_grad())
                {
                    before = (cosine.detach().clamp(-1, 1).acos() * (form.Margin / Math.PI)).floor();
                }
                return ((1 - (before.remainder(2) * 2)) * multiple) - (before * 2);
        }
    }

    /// <summary>m_y = a n_y^-λ + b, where a and b give the smallest class one margin and the largest the other; all have the first where classes are alike.</summary>
    public static double[] Margins(IReadOnlyList<int> images, double ofSmallest, double ofLargest, double power)
    {
        var rarity = images.Select(count => Math.Pow(Math.Max(1, count), -power)).ToArray();
        var (least, most) = (rarity.Min(), rarity.Max());
        return [.. rarity.Select(value => most == least ? ofSmallest : ofLargest + ((ofSmallest - ofLargest) * (value - least) / (most - least)))];
    }

    private static LossEntry Cosine(string name, string paper, string formula, double margin, string reason, AngularMargin kind, params LossOption[] more) => new(
        name, paper, formula, context =>
        {
            var centres = context.Settings.Has("centres") ? (int)context.Number("centres") : 1;
            var isEasy = context.Settings.Has("easy_margin") && context.Flag("easy_margin");
            var margins = context.Settings.Has("least_margin")
                ? Margins(context.ImagesOfClass ?? [.. Enumerable.Repeat(1, context.Classes)], context.Number("margin"), context.Number("least_margin"), context.Number("power"))
                : null;
            return new MarginSoftmaxLoss(
                new ClassWeights(context, perClass: centres),
                new MarginSoftmaxForm(kind, context.Number("margin"), LogitScale.Fixed, context.Number("scale"), centres, Anneals: false, isEasy), margins, context.Device);
        })
    {
        LearnsFromPairs = false,
        Options = [LossOption.Number("scale", 64, 1e-3, 1e4, "s; the paper's for faces"), LossOption.Number("margin", margin, 0, 1.5, reason), .. more, .. ClassWeights.Options],
    };

    private static LossEntry Multiplied(string name, string paper, string formula, LogitScale scale) => new(
        name, paper, formula, context => new MarginSoftmaxLoss(
            new ClassWeights(context),
            new MarginSoftmaxForm(AngularMargin.Multiplied, context.Number("margin"), scale, 1, 1, context.Flag("annealing"), EasyMargin: false), margins: null, context.Device))
    {
        LearnsFromPairs = false,
        Options =
        [
            LossOption.Whole("margin", 4, 1, 8, "m, a whole number the angle is multiplied by; the paper's best"),
            LossOption.Flag("annealing", true, "begin near plain softmax, as the official code; without it training hardly starts"),
            .. ClassWeights.Options,
        ],
    };
}

/// <summary>Which member of the family: how the own class's angle is made harder, and what multiplies the logits.</summary>
public sealed record MarginSoftmaxForm(AngularMargin AngularMargin, double Margin, LogitScale LogitScale, double Scale, int Centres, bool Anneals, bool EasyMargin);

/// <summary>What a margin does to the own class's angle θ.</summary>
public enum AngularMargin
{
    /// <summary>cos θ - m.</summary>
    Subtracted,

    /// <summary>cos(θ + m).</summary>
    Added,

    /// <summary>cos(mθ), continued so that it falls all the way.</summary>
    Multiplied,
}

/// <summary>What the cosines are multiplied by.</summary>
public enum LogitScale
{
    /// <summary>A constant.</summary>
    Fixed,

    /// <summary>The length of the feature.</summary>
    Feature,

    /// <summary>The lengths of feature and class weight.</summary>
    FeatureAndWeight,
}
