namespace DmlPipeline.Contracts.Datasets;

/// <summary>Roles of samples in datasets that are judged by queries and a gallery; a sample without a role is both.</summary>
public static class RoleNames
{
    public const string Query = "query";
    public const string Gallery = "gallery";
}
