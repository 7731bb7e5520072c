using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>One loss of the catalogue: what it is called, where it comes from, what can be set, and how it is made.</summary>
/// <param name="Name">As recipes write it.</param>
/// <param name="Paper">Authors, venue, arXiv number.</param>
/// <param name="Formula">On one line; the class has it in full.</param>
/// <param name="Make">Makes the loss.</param>
public sealed record LossEntry(string Name, string Paper, string Formula, Func<LossContext, MetricLoss> Make)
{
    /// <summary>The options, in the order of the documentation.</summary>
    public IReadOnlyList<LossOption> Options { get; init; } = [];

    /// <summary>Whether it learns from pairs within a batch, which then needs several images of each class.</summary>
    public bool LearnsFromPairs { get; init; } = true;

    /// <summary>Whether a miner may choose the pairs that it learns from.</summary>
    public bool TakesMiner { get; init; }

    /// <summary>Whether features must come batch-normalised from the model's last layer.</summary>
    public bool NeedsBatchNormalisedFeatures { get; init; }
}

/// <summary>An option of a loss, miner, reduction or regulariser, with its default and the reason for it.</summary>
/// <param name="Name">As recipes write it.</param>
/// <param name="Default">A double, a bool, or one of the choices.</param>
/// <param name="Reason">What it is, and why the default is what it is.</param>
public sealed record LossOption(string Name, object Default, string Reason)
{
    public double Minimum { get; init; }

    public double Maximum { get; init; }

    /// <summary>Whether a number may have no fraction.</summary>
    public bool IsWhole { get; init; }

    /// <summary>What a text option may be.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    public static LossOption Number(string name, double otherwise, double minimum, double maximum, string reason) =>
        new(name, otherwise, reason) { Minimum = minimum, Maximum = maximum };

    public static LossOption Whole(string name, int otherwise, int minimum, int maximum, string reason) =>
        Number(name, otherwise, minimum, maximum, reason) with { IsWhole = true };

    public static LossOption Flag(string name, bool otherwise, string reason) => new(name, otherwise, reason);

    /// <summary>The first choice is the default.</summary>
    public static LossOption Choice(string name, string reason, params string[] choices) => new(name, choices[0], reason) { Choices = choices };
}

/// <summary>What a loss is made for.</summary>
/// <param name="Settings">Complete: every option of the loss has a value.</param>
/// <param name="Classes">Training classes M.</param>
/// <param name="Dimensions">Embedding size D.</param>
/// <param name="Device">Where class weights lie.</param>
public sealed record LossContext(Recipes.LossSettings Settings, int Classes, int Dimensions, torch.Device Device)
{
    /// <summary>How many training images each class has; null where they are taken to be equally many.</summary>
    public IReadOnlyList<int>? ImagesOfClass { get; init; }

    public double Number(string option) => Settings.Number(option);

    public bool Flag(string option) => Settings.Flag(option);

    public string Choice(string option) => Settings.Choice(option);
}
