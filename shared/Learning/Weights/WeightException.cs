namespace DmlPipeline.Learning.Weights;

/// <summary>A file of weights that cannot be read, or that does not fit the network: the same file will not fit later either.</summary>
public sealed class WeightException(string message, Exception? inner = null) : Exception(message, inner);
