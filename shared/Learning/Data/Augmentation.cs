namespace DmlPipeline.Learning.Data;

/// <summary>How far training images may be changed at random. Every amount is the most that happens either way; 0 switches a change off.</summary>
public sealed record Augmentation
{
    /// <summary>Rotation, degrees: uniform in ±Rotate.</summary>
    public double Rotate { get; init; }

    /// <summary>Zoom, as a fraction: the factor is uniform in 1 ± Scale.</summary>
    public double Scale { get; init; }

    /// <summary>Shift along each axis, as a fraction of the side: uniform in ±Translate.</summary>
    public double Translate { get; init; }

    /// <summary>Horizontal slant, degrees: uniform in ±Shear.</summary>
    public double Shear { get; init; }

    /// <summary>
    /// Wider and flatter, or narrower and taller: the factor that widths are multiplied and heights divided by is log-uniform between
    /// 1 / (1 + Stretch) and 1 + Stretch. Null: off.
    /// </summary>
    public double? Stretch { get; init; }

    /// <summary>
    /// Elastic distortion, for handwriting: points of a coarse lattice are shifted by up to this fraction of the side, and the image bends smoothly
    /// with them (Simard et al., ICDAR 2003). Null: off.
    /// </summary>
    public double? Elastic { get; init; }

    /// <summary>Probability of a mirror image (left and right swapped). Leave it off where a mirror image is another class, as with letters.</summary>
    public double Flip { get; init; }

    /// <summary>
    /// Random resized crop: the share of the image's area that is cut out and enlarged is uniform in [1 - Crop, 1], its aspect ratio
    /// log-uniform in [3/4, 4/3]. 0.84 is what metric-learning papers on photographs use (area from 0.16).
    /// </summary>
    public double Crop { get; init; }

    /// <summary>Brightness, as a fraction: all values are multiplied by a factor uniform in 1 ± Brightness.</summary>
    public double Brightness { get; init; }

    /// <summary>Contrast, as a fraction: distances from the image's mean are multiplied by a factor uniform in 1 ± Contrast.</summary>
    public double Contrast { get; init; }

    /// <summary>Saturation, as a fraction: distances from the grey image are multiplied by a factor uniform in 1 ± Saturation. Colour images only.</summary>
    public double Saturation { get; init; }

    /// <summary>Probability that a rectangle of 2 to 20 % of the area, aspect ratio 1:3 to 3:1, is painted over with the paper's colour.</summary>
    public double Erase { get; init; }

    /// <summary>
    /// 4: every class also as three more classes, its images turned by 90, 180 and 270 degrees; 8: and mirrored as well. For drawings and letters,
    /// where a turned character is another one; it makes an epoch four or eight times as long.
    /// </summary>
    public int TurnedClasses { get; init; }

    /// <summary>Nothing is changed.</summary>
    public static Augmentation None { get; } = new();

    /// <summary>Whether every random change is off: images pass byte for byte.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsOff => this with { TurnedClasses = 0 } == None;

    /// <summary>What is out of range, a sentence each; empty when all is well.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        Check("rotate", Rotate, 180, "degrees");
        Check("scale", Scale, 0.9, "a fraction of 1");
        Check("translate", Translate, 0.9, "a fraction of the side");
        Check("shear", Shear, 60, "degrees");
        Check("stretch", Stretch ?? 0, 1, "a fraction of 1");
        Check("elastic", Elastic ?? 0, 0.5, "a fraction of the side");
        Check("flip", Flip, 1, "a probability");
        Check("crop", Crop, 0.99, "a share of the area");
        Check("brightness", Brightness, 1, "a fraction of 1");
        Check("contrast", Contrast, 1, "a fraction of 1");
        Check("saturation", Saturation, 1, "a fraction of 1");
        Check("erase", Erase, 1, "a probability");
        if (TurnedClasses is not (0 or 4 or 8)) problems.Add($"augmentation.turned_classes is 0, 4 or 8, not {TurnedClasses}.");
        return problems;

        void Check(string name, double value, double most, string unit)
        {
            if (!(value >= 0 && value <= most)) problems.Add($"augmentation.{name} is {unit} from 0 to {most}, not {value}.");
        }
    }
}
