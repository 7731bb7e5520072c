using System.ComponentModel.DataAnnotations;
using DmlPipeline.Learning.Losses;

namespace DmlPipeline.Learning.Recipes;

/// <summary>A loss and its options; options left out take the loss's own defaults (<see cref="WithDefaults"/>).</summary>
public sealed record LossSettings
{
    public LossName Name { get; init; } = LossName.Ice;

    /// <summary>Inverse temperature: s of ICE, gamma of circle loss, alpha of softmax.</summary>
    [Range(1e-3, 1e4)]
    public double? Scale { get; init; }

    /// <summary>Relaxation m of circle loss.</summary>
    [Range(-0.5, 0.999)]
    public double? Margin { get; init; }

    /// <summary>How ICE puts an anchor's positives together.</summary>
    public PositiveReduction? Positives { get; init; }

    /// <summary>A bias in softmax's classifier.</summary>
    public bool? Bias { get; init; }

    /// <summary>HLN, HBN: what the scale is multiplied by when heating starts.</summary>
    [Range(1e-3, 1)]
    public double? HeatedScale { get; init; }

    /// <summary>HLN, HBN: the last share of the run that is heated.</summary>
    [Range(0.01, 0.99)]
    public double? HeatedShare { get; init; }

    /// <summary>HLN, HBN: what the learning rate is multiplied by when heating starts.</summary>
    [Range(1e-4, 1)]
    public double? HeatedLearningRate { get; init; }

    /// <summary>Defaults of each loss; an option that is null here does not belong to it.</summary>
    public static LossSettings DefaultsOf(LossName name) => name switch
    {
        // 16: temperature 1/16, where fixed scales peak in the heated-up paper (arXiv 1809.04157) and softmax in the Reality Check (2003.08505).
        LossName.Ice => new() { Name = name, Scale = 16, Positives = PositiveReduction.Mean },
        // The paper's fine-grained retrieval setting (arXiv 2002.10857, section 4.1).
        LossName.Circle => new() { Name = name, Scale = 80, Margin = 0.4 },
        // The paper's face recognition setting, which is the class form.
        LossName.CircleClass => new() { Name = name, Scale = 256, Margin = 0.25 },
        LossName.Softmax => new() { Name = name, Scale = 1, Bias = true },
        // alpha 16, then a quarter of it and a tenth of the rate for the last 20 of 80 epochs (official code of arXiv 1809.04157).
        LossName.Ln or LossName.Bn => new() { Name = name, Scale = 16, Bias = true },
        _ => new() { Name = name, Scale = 16, Bias = true, HeatedScale = 0.25, HeatedShare = 0.25, HeatedLearningRate = 0.1 },
    };

    /// <summary>This with every option that the loss has and that was left out.</summary>
    public LossSettings WithDefaults()
    {
        var own = DefaultsOf(Name);
        return this with
        {
            Scale = Scale ?? own.Scale,
            Margin = Margin ?? own.Margin,
            Positives = Positives ?? own.Positives,
            Bias = Bias ?? own.Bias,
            HeatedScale = HeatedScale ?? own.HeatedScale,
            HeatedShare = HeatedShare ?? own.HeatedShare,
            HeatedLearningRate = HeatedLearningRate ?? own.HeatedLearningRate,
        };
    }
}

/// <summary>The losses; each is one file in Losses.</summary>
public enum LossName
{
    /// <summary>ICE (re-derived).</summary>
    Ice,

    /// <summary>Circle loss on pairs.</summary>
    Circle,

    /// <summary>Circle loss on class weights.</summary>
    CircleClass,

    /// <summary>Plain softmax (SM).</summary>
    Softmax,

    /// <summary>Softmax on L2-normalised features and weights.</summary>
    Ln,

    /// <summary>Softmax on batch-normalised features and L2-normalised weights.</summary>
    Bn,

    /// <summary>LN, heated up.</summary>
    Hln,

    /// <summary>BN, heated up.</summary>
    Hbn,
}
