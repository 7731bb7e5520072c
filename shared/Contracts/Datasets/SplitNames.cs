namespace DmlPipeline.Contracts.Datasets;

public static class SplitNames
{
    public const string Train = "train";
    public const string Validation = "validation";
    public const string Test = "test";
}
