using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class CalibrationTests
{
    [Fact]
    public void Class_posteriors_are_cosines_to_class_means_without_the_image_itself()
    {
        var (points, labels) = Points.Clouds(6, noise: 0.8f, seed: 5, 7, 4, 1, 3);

        var posterior = ClassPosterior.Of(new LabelledVectors(points, 6, labels), protocol: null, tileBytes: 300, CancellationToken.None);

        // The class of one image is there to be chosen, but its image is not asked about.
        posterior.Classes.ShouldBe(4);
        var places = labels.Distinct().ToList();
        var row = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            if (labels.Count(label => label == labels[i]) == 1) continue;
            posterior.Labels[row].ShouldBe(places.IndexOf(labels[i]));
            for (var c = 0; c < 4; c++)
            {
                var members = Enumerable.Range(0, labels.Length).Where(j => j != i && labels[j] == places[c]).ToList();
                double[] mean = [.. Enumerable.Range(0, 6).Select(d => members.Average(j => (double)points[(j * 6) + d]))];
                var cosine = Enumerable.Range(0, 6).Sum(d => mean[d] * points[(i * 6) + d]) / Math.Sqrt(mean.Sum(value => value * value));
                posterior.Logits[(row * 4) + c].ShouldBe((float)cosine, 1e-5f);
            }
            row++;
        }
        posterior.Labels.Length.ShouldBe(row);
    }

    [Fact]
    public void Opposite_images_have_no_mean_and_no_preference()
    {
        var posterior = ClassPosterior.Of(new LabelledVectors([1, 0, -1, 0, 0, 1, 0, 1], 2, [0, 0, 1, 1]), null, 1000, CancellationToken.None);

        posterior.Logits.ShouldBe([-1, 0, -1, 0, 0, 1, 0, 1]);
    }

    [Fact]
    public void Known_images_are_those_of_the_gallery()
    {
        var protocol = new QueryGallery { Roles = [ImageRole.Query, ImageRole.Gallery, ImageRole.Junk, ImageRole.Gallery] };

        var posterior = ClassPosterior.Of(new LabelledVectors([1, 0, 0.6f, 0.8f, 1, 0, 0, 1], 2, [3, 3, 3, 8]), protocol, 1000, CancellationToken.None);

        posterior.Labels.ShouldBe([0]);
        posterior.Logits.ShouldBe([0.6f, 0], 1e-6);
    }

    [Fact]
    public void Calibration_on_some_classes_serves_others_of_the_kind()
    {
        var report = Calibration.Measure(Cloud(seed: 1), Cloud(seed: 2), protocol: null, NearestNeighbours.DefaultTileBytes, CancellationToken.None);

        (report.FittedImages, report.FittedClasses).ShouldBe((600, 30));
        foreach (var (before, after) in (BeforeAfter[])[report.Pairs.Ece, report.Pairs.AdaptiveEce, report.NearestClass.Ece, report.NearestClass.AdaptiveEce])
        {
            after.ShouldBeLessThan(0.06);
            before.ShouldBeGreaterThan(2 * after);
        }
        report.Pairs.NegativeLogLikelihood.After.ShouldBeLessThan(report.Pairs.NegativeLogLikelihood.Before);
        report.NearestClass.NegativeLogLikelihood.After.ShouldBeLessThan(report.NearestClass.NegativeLogLikelihood.Before);
        (report.Pairs.SamePairs, report.Pairs.DifferentPairs).ShouldBe((30 * 190, (600 * 599 / 2) - (30 * 190)));
        report.NearestClass.Images.ShouldBe(600);
        var wanted = report.Verification.Thresholds.Single(threshold => threshold.WantedFalseMatchRate == 1e-2);
        wanted.Fitted!.FalseMatchRate.ShouldBeInRange(0.009, 0.01);
        wanted.Own!.FalseMatchRate.ShouldBeInRange(0.009, 0.01);
        wanted.Judged!.FalseMatchRate.ShouldBeInRange(0.003, 0.03);
        wanted.Judged.Threshold.ShouldBe(wanted.Fitted.Threshold);
        report.Verification.EqualErrorRate.ShouldBeInRange(0.001, 0.2);
    }

    [Fact]
    public void A_report_with_calibration_survives_json()
    {
        var measured = Calibration.Measure(Cloud(seed: 1), Cloud(seed: 2), protocol: null, NearestNeighbours.DefaultTileBytes, CancellationToken.None);
        var report = new EvaluationReport
        {
            Metrics = new Dictionary<string, double> { ["recall@1"] = 0.5 }, Images = 10, Classes = 3, Queries = 9, ExcludedQueries = 1, EmbeddingSize = 8,
            Calibration = measured with { FittedOn = "birds v1, validation split" },
        };

        var json = report.ToJson();
        var read = EvaluationReport.FromJson(json);

        json.ShouldContain("\"wantedFalseMatchRate\": 0.001");
        read.ToJson().ShouldBe(json);
        read.Calibration!.Pairs.Ece.ShouldBe(measured.Pairs.Ece);
        read.Calibration.NearestClass.Reliability.ShouldBe(measured.NearestClass.Reliability);
    }

    [Fact]
    public void Without_two_images_of_a_class_there_is_nothing_to_calibrate_with()
    {
        var alone = new LabelledVectors([1, 0, 0, 1], 2, [1, 2]);

        Should.Throw<InvalidDataException>(() => Calibration.Measure(alone, Cloud(seed: 1), null, 1000, CancellationToken.None)).Message.ShouldContain("at least two images");
    }

    private static LabelledVectors Cloud(long seed)
    {
        var (points, labels) = Points.Clouds(24, noise: 0.9f, seed, [.. Enumerable.Repeat(20, 30)]);
        return new LabelledVectors(points, 24, labels);
    }
}
