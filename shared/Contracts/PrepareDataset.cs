namespace DmlPipeline.Contracts;

/// <summary>Command: a drop has settled; build a dataset version from it.</summary>
public sealed record PrepareDataset(string DropId, string Dataset);
