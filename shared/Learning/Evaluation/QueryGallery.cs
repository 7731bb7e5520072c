namespace DmlPipeline.Learning.Evaluation;

/// <summary>What an image does in an evaluation.</summary>
public enum ImageRole
{
    /// <summary>A query, and among the images that other queries look through.</summary>
    Both,

    /// <summary>Only looks.</summary>
    Query,

    /// <summary>Is only looked through; a distractor is a gallery image whose class has no query.</summary>
    Gallery,

    /// <summary>Left out of everything: neither right nor wrong.</summary>
    Junk,
}

/// <summary>A protocol with roles, such as In-Shop's query and gallery images or Market-1501's cameras.</summary>
public sealed record QueryGallery
{
    /// <summary>By image; null makes every image both query and gallery.</summary>
    public IReadOnlyList<ImageRole>? Roles { get; init; }

    /// <summary>
    /// By image; null where cameras do not matter. A query does not see gallery images of its own class from its own camera (Zheng et al. 2015,
    /// Market-1501): they are neither right nor wrong. Images of a negative camera count as taken by none.
    /// </summary>
    public IReadOnlyList<int>? Cameras { get; init; }

    internal void Check(int images)
    {
        if (Roles is not null && Roles.Count != images) throw new ArgumentException($"There are {images} images but {Roles.Count} roles.");
        if (Cameras is not null && Cameras.Count != images) throw new ArgumentException($"There are {images} images but {Cameras.Count} cameras.");
    }
}
