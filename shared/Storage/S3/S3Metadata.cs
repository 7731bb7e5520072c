using Amazon.S3.Model;

namespace DmlPipeline.Storage.S3;

/// <summary>What the store notes beside an object.</summary>
internal static class S3Metadata
{
    private const string Hash = "x-amz-meta-sha256";
    private const string Writer = "x-amz-meta-writer";

    /// <summary>Of the content, as far as its writer knew it when it began: objects in parts are sent while they are hashed.</summary>
    public static string? Sha256(MetadataCollection metadata) => metadata[Hash];

    /// <summary>Tells the one who wrote an object whose answer was lost from the one who came too late.</summary>
    public static string? WriterOf(MetadataCollection metadata) => metadata[Writer];

    public static void Note(MetadataCollection metadata, string? sha256, string writer)
    {
        if (sha256 is not null) metadata[Hash] = sha256;
        metadata[Writer] = writer;
    }
}
