namespace DmlPipeline.Learning.Losses;

/// <summary>How the positives of one anchor are put together.</summary>
public enum PositiveReduction
{
    /// <summary>Their mean: the loss does not grow with the images per class in a batch.</summary>
    Mean,

    /// <summary>Their sum, as the paper writes it.</summary>
    Sum,
}
