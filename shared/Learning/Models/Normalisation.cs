using DmlPipeline.Learning.Data;

namespace DmlPipeline.Learning.Models;

/// <summary>Which mean and deviation pixels are brought to zero and one by.</summary>
public enum Normalisation
{
    /// <summary>Those of the training images.</summary>
    Dataset,

    /// <summary>Those of ImageNet, which torchvision's weights were trained with.</summary>
    Imagenet,

    /// <summary>0.5 and 0.5: pixels from -1 to 1, as for GoogLeNet's and most transformers' weights.</summary>
    Half,

    /// <summary>Caffe's: pixels 0..255 less a mean, blue first; the first convolution of weights that are read is turned to red first.</summary>
    Caffe,
}

/// <summary>The constants behind <see cref="Normalisation"/>, of pixel values 0..1, red first.</summary>
internal static class PixelStatistics
{
    /// <summary>For colour as published; for grey the means over the three colours.</summary>
    public static (double[] Mean, double[] Std) Of(Normalisation kind, ImageShape shape)
    {
        (double[] Mean, double[] Std) colour = kind switch
        {
            Normalisation.Imagenet => ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
            Normalisation.Caffe => ([128 / 255.0, 117 / 255.0, 104 / 255.0], [1 / 255.0, 1 / 255.0, 1 / 255.0]),
            _ => ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5]),
        };
        return shape.Channels == 3 ? colour : ([colour.Mean.Average()], [colour.Std.Average()]);
    }
}
