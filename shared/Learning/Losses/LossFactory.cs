using DmlPipeline.Learning.Recipes;
using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>From a loss's settings to the loss.</summary>
public static class LossFactory
{
    /// <summary>Makes the loss for the given number of training classes and embedding size D, its class weights on the device.</summary>
    public static MetricLoss Create(LossSettings settings, int classes, int dimensions, torch.Device device)
    {
        var options = settings.WithDefaults();
        var scale = options.Scale!.Value;
        return options.Name switch
        {
            LossName.Ice => new IceLoss(scale, options.Positives!.Value),
            LossName.Circle => new CircleLoss(scale, options.Margin!.Value),
            LossName.CircleClass => new CircleClassLoss(classes, dimensions, scale, options.Margin!.Value, device),
            LossName.Softmax => Softmax(FeatureScaling.None),
            LossName.Ln or LossName.Hln => Softmax(FeatureScaling.L2),
            _ => Softmax(FeatureScaling.Batch),
        };

        SoftmaxLoss Softmax(FeatureScaling scaling) => new(classes, dimensions, scaling, scale, options.Bias!.Value, device);
    }
}
