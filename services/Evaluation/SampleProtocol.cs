using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Evaluation;

/// <summary>The rules by which a dataset wants to be judged, as its samples bear them: In-Shop's query and gallery, Market-1501's cameras.</summary>
public static class SampleProtocol
{
    private const int NoCamera = -1;

    /// <param name="samples">Role (see <see cref="RoleNames"/>) and camera of every image that is judged, in order.</param>
    /// <returns>Null when no image has either: then each is a query among all the others.</returns>
    /// <exception cref="InvalidDataException">A role is unknown to this version.</exception>
    public static QueryGallery? Of(IEnumerable<(string? Role, int? Camera)> samples)
    {
        var all = samples.ToList();
        var roles = all.Exists(sample => sample.Role is not null) ? all.ConvertAll(sample => Role(sample.Role)) : null;
        var cameras = all.Exists(sample => sample.Camera is not null) ? all.ConvertAll(sample => sample.Camera ?? NoCamera) : null;
        return roles is null && cameras is null ? null : new QueryGallery { Roles = roles, Cameras = cameras };
    }

    /// <inheritdoc cref="Of(IEnumerable{ValueTuple{string, int?}})"/>
    public static QueryGallery? Of(IEnumerable<DatasetSample> samples) => Of(samples.Select(sample => (sample.Role, sample.Camera)));

    private static ImageRole Role(string? role) => role switch
    {
        null => ImageRole.Both,
        RoleNames.Query => ImageRole.Query,
        RoleNames.Gallery => ImageRole.Gallery,
        _ => throw new InvalidDataException($"The dataset has an image of the role '{role}', which this version does not know."),
    };
}
