namespace DmlPipeline.Learning.Evaluation;

/// <summary>Who looks through what: queries and gallery as rows of a set, and what of the gallery each query may find.</summary>
internal sealed class RetrievalTask
{
    private readonly int[] labels;
    private readonly int[] placeInGallery;
    private readonly IReadOnlyList<int>? cameras;
    private readonly Dictionary<int, int[]> galleryOfLabel;

    public RetrievalTask(int[] labels, QueryGallery? protocol)
    {
        protocol?.Check(labels.Length);
        this.labels = labels;
        cameras = protocol?.Cameras;
        var roles = protocol?.Roles;
        Queries = [.. Enumerable.Range(0, labels.Length).Where(i => roles is null || roles[i] is ImageRole.Both or ImageRole.Query)];
        Gallery = [.. Enumerable.Range(0, labels.Length).Where(i => roles is null || roles[i] is ImageRole.Both or ImageRole.Gallery)];
        IsLeaveOneOut = roles is null && cameras is null;

        placeInGallery = new int[labels.Length];
        Array.Fill(placeInGallery, -1);
        for (var place = 0; place < Gallery.Length; place++) placeInGallery[Gallery[place]] = place;
        galleryOfLabel = Enumerable.Range(0, Gallery.Length).GroupBy(place => labels[Gallery[place]]).ToDictionary(group => group.Key, group => group.ToArray());
        Relevant = [.. Queries.Select(CountRelevant)];
    }

    /// <summary>Images that look, in order.</summary>
    public int[] Queries { get; }

    /// <summary>Images that are looked through, in order; a place is an index of this.</summary>
    public int[] Gallery { get; }

    /// <summary>R of every query: how many images there are to find.</summary>
    public int[] Relevant { get; }

    /// <summary>Every image is a query among all the others.</summary>
    public bool IsLeaveOneOut { get; }

    /// <summary>The query's own place in the gallery, or -1.</summary>
    public int SelfOf(int query) => placeInGallery[Queries[query]];

    public int LabelOf(int query) => labels[Queries[query]];

    /// <summary>Places of the query's class, some of which <see cref="IsHidden"/> leaves out.</summary>
    public ReadOnlySpan<int> SameClass(int query) => galleryOfLabel.GetValueOrDefault(LabelOf(query), []);

    /// <summary>Whether a place of the query's class is the query itself or comes from its camera.</summary>
    public bool IsHidden(int query, int place)
    {
        var (image, other) = (Queries[query], Gallery[place]);
        return image == other || (cameras is not null && cameras[image] >= 0 && cameras[image] == cameras[other]);
    }

    private int CountRelevant(int image, int query)
    {
        if (cameras is null) return galleryOfLabel.GetValueOrDefault(labels[image], []).Length - (placeInGallery[image] >= 0 ? 1 : 0);
        var count = 0;
        foreach (var place in galleryOfLabel.GetValueOrDefault(labels[image], []))
            if (!IsHidden(query, place)) count++;
        return count;
    }
}
