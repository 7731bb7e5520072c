using DmlPipeline.Cli.Images;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Learning.Baselines;
using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Cli.Judging;

/// <summary>Judges what has to be fitted first, to classes that are not judged: linear baselines to the training classes, calibration to the validation classes.</summary>
internal sealed class FittedJudging(HomeOrNone homes, ModelReference model, EmbeddingSession session, LiveLine live)
{
    /// <summary>The report with what was asked for added.</summary>
    public async Task<EvaluationReport> Add(EvaluationOutcome outcome, ImageSource images, EvaluationOptions options, FittingOptions fitting, CancellationToken cancel)
    {
        var (report, judged) = (outcome.Report, Labelled(new Embeddings(outcome.Embeddings, outcome.Report.EmbeddingSize), images));
        if (fitting.Linear.Count > 0) report = await AddLinear(report, judged, images, options, fitting, cancel);
        if (fitting.Calibrate) report = await AddCalibration(report, judged, images, options, fitting, cancel);
        return report;
    }

    private async Task<EvaluationReport> AddLinear(
        EvaluationReport report, LabelledVectors judged, ImageSource images, EvaluationOptions options, FittingOptions fitting, CancellationToken cancel)
    {
        using var known = await Open(fitting.FitOn, SplitNames.Train, images, cancel);
        var embedded = await Embed(known, cancel);
        var (pixels, inverted) = await session.RawPixels(known, invert: null, cancel);
        var judgedPixels = Labelled((await session.RawPixels(images, inverted, cancel)).Pixels, images);

        // Baselines are there to be compared with, not to be estimated: they get no intervals.
        var plain = options with { Intervals = null, PerClass = false };
        var baselines = report.Baselines.ToDictionary(StringComparer.Ordinal);
        var dimensions = new Dictionary<string, int>(StringComparer.Ordinal);
        if (!baselines.ContainsKey(EvaluationReport.RawPixels))
            baselines[EvaluationReport.RawPixels] = await session.Compute("scoring    raw pixels", () => Score(judgedPixels, plain));
        foreach (var method in fitting.Linear)
        {
            var name = LinearBaseline.Names[(int)method];
            await Fit(name, method, embedded, judged);
            await Fit($"{EvaluationReport.RawPixels}-{name}", method, Labelled(pixels, known), judgedPixels);
        }
        return report with { Baselines = baselines, Linear = new LinearNote(known.Title, known.Count, ClassNames(known).Length, dimensions) };

        async Task Fit(string name, LinearMethod method, LabelledVectors from, LabelledVectors to) =>
            (baselines[name], dimensions[name]) = await Refusable(known, session.Compute($"fitting    {name.Replace('-', ' ')}", () =>
            {
                var metric = LinearBaseline.Fit(method, from, fitting.Settings, cancel);
                var projected = new LabelledVectors(metric.Project(to.Values, cancel), metric.Dimension, to.Labels);
                return (Score(projected, plain with { ByDistance = !metric.UnitLength }), metric.Dimension);
            }));

        IReadOnlyDictionary<string, double> Score(LabelledVectors vectors, EvaluationOptions how) =>
            EmbeddingJudge.Judge(vectors.Values, vectors.Dimension, vectors.Labels, ClassNames(images), how, cancel).Result.Values;
    }

    private async Task<EvaluationReport> AddCalibration(
        EvaluationReport report, LabelledVectors judged, ImageSource images, EvaluationOptions options, FittingOptions fitting, CancellationToken cancel)
    {
        using var known = await Open(fitting.FitOn, SplitNames.Validation, images, cancel);
        var embedded = await Embed(known, cancel);
        var calibration = await Refusable(known, session.Compute(
            "fitting    calibration", () => Calibration.Measure(embedded, judged, options.Protocol, options.TileBytes, cancel)));
        return report with { Calibration = calibration with { FittedOn = known.Title } };
    }

    private async Task<ImageSource> Open(string? fitOn, string split, ImageSource judged, CancellationToken cancel)
    {
        var from = fitOn ?? model.TrainedOn
            ?? throw new CliException($"{model.Name} does not say what it was trained on: name images of other classes than the judged ones with --fit-on.");
        ImageSource known;
        try
        {
            known = await ImageSource.Open(homes, from, split: null, split, live, cancel);
        }
        catch (CliException e) when (fitOn is null)
        {
            throw new CliException($"{e.Message} Name other images to fit to with --fit-on.", e);
        }
        var reason = known.Count == 0 ? $"{known.Title} holds no images"
            : known.ContentKey is { } key && key == judged.ContentKey ? $"{known.Title} is what is judged: what is fitted to it would look better than it is"
            : null;
        if (reason is null) return known;
        known.Dispose();
        throw new CliException($"{reason}. Name other images to fit to with --fit-on, or judge another --split.");
    }

    private async Task<LabelledVectors> Embed(ImageSource images, CancellationToken cancel) => Labelled(
        await EmbeddingCache.GetOrEmbed(homes, model, images, () => session.Embed(images.ClassOfImage, images.Read, images.Name, cancel)), images);

    private static async Task<T> Refusable<T>(ImageSource known, Task<T> work)
    {
        try
        {
            return await work;
        }
        catch (InvalidDataException e)
        {
            throw new CliException($"{known.Title} cannot be fitted to: {e.Message}", e);
        }
    }

    private static string[] ClassNames(ImageSource images) => [.. images.ClassOfImage.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    private static LabelledVectors Labelled(Embeddings vectors, ImageSource images)
    {
        var labelOf = ClassNames(images).Index().ToDictionary(entry => entry.Item, entry => entry.Index, StringComparer.Ordinal);
        return new LabelledVectors(vectors.Values, vectors.Dimension, [.. images.ClassOfImage.Select(name => labelOf[name])]);
    }
}
