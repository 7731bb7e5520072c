using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed class EpisodeTests
{
    [Theory]
    [InlineData("5w1s", 5, 1, false)]
    [InlineData("20w5s-within", 20, 5, true)]
    public void A_name_says_what_is_drawn(string name, int ways, int shots, bool within)
    {
        var settings = EpisodeSettings.Parse(name);

        (settings.Ways, settings.Shots, settings.WithinGroup, settings.Name).ShouldBe((ways, shots, within, name));
    }

    [Theory]
    [InlineData("5w")]
    [InlineData("1w1s")]
    [InlineData("5w0s")]
    [InlineData("5w1s-without")]
    public void Other_names_are_refused_with_examples(string name) =>
        Should.Throw<ArgumentException>(() => EpisodeSettings.Parse(name)).Message.ShouldContain("5w1s");

    [Fact]
    public void Classes_that_lie_apart_are_always_recognised()
    {
        var (points, labels) = Points.Clouds(32, noise: 0.05f, seed: 1, 5, 5, 5, 5, 5, 5);

        Judge(points, 32, labels, new EpisodeSettings { Ways = 6 }).Accuracy.ShouldBe(1);
    }

    [Fact]
    public void Images_without_any_likeness_are_recognised_by_chance()
    {
        var (points, _) = Points.Clouds(16, noise: 1, seed: 1, [.. Enumerable.Repeat(1, 400)]);
        int[] labels = [.. Enumerable.Range(0, 400).Select(i => i % 40)];

        var result = Judge(points, 16, labels, new EpisodeSettings { Ways = 5, Count = 4000 });

        result.Accuracy.ShouldBe(0.2, 0.02);
        result.Accuracy.ShouldBeInRange(result.Interval!.Value.Low, result.Interval.Value.High);
        (result.Interval.Value.High - result.Interval.Value.Low).ShouldBe(2 * 1.96 * Math.Sqrt(0.16 / 20_000), 0.003);
    }

    [Fact]
    public void Five_known_images_help_more_than_one()
    {
        var (points, labels) = Points.Clouds(8, noise: 1.2f, seed: 1, [.. Enumerable.Repeat(12, 20)]);

        Judge(points, 8, labels, new EpisodeSettings { Shots = 5 }).Accuracy.ShouldBeGreaterThan(Judge(points, 8, labels, new EpisodeSettings()).Accuracy + 0.05);
    }

    [Fact]
    public void Within_a_group_only_its_classes_meet()
    {
        // Three groups of two classes: groups lie apart, the two classes of a group are the same point.
        var points = new List<float>();
        var labels = new List<int>();
        for (var group = 0; group < 3; group++)
            for (var image = 0; image < 40; image++)
            {
                points.AddRange(Enumerable.Range(0, 3).Select(d => d == group ? 1f : 0));
                labels.Add((2 * group) + (image % 2));
            }
        string[] groups = ["a", "a", "b", "b", "c", "c"];

        // Of equals the class drawn first is taken: its query is right, the other's wrong.
        Episodes.Judge([.. points], 3, [.. labels], groups, new EpisodeSettings { Ways = 2, WithinGroup = true }, CancellationToken.None).Accuracy.ShouldBe(0.5);
        Episodes.Judge([.. points], 3, [.. labels], groups, new EpisodeSettings { Ways = 2 }, CancellationToken.None).Accuracy.ShouldBeGreaterThan(0.8);
    }

    [Fact]
    public void A_seed_gives_the_same_episodes_again_and_another_gives_others()
    {
        var (points, labels) = Points.Clouds(6, noise: 1, seed: 1, [.. Enumerable.Repeat(6, 30)]);

        var first = Judge(points, 6, labels, new EpisodeSettings { Seed = 3, Count = 200 });

        Judge(points, 6, labels, new EpisodeSettings { Seed = 3, Count = 200 }).ShouldBe(first);
        Judge(points, 6, labels, new EpisodeSettings { Seed = 4, Count = 200 }).Accuracy.ShouldNotBe(first.Accuracy);
    }

    [Fact]
    public void Too_few_classes_are_counted_in_the_refusal()
    {
        var (points, labels) = Points.Clouds(6, noise: 1, seed: 1, 5, 5, 1);

        Should.Throw<InvalidDataException>(() => Judge(points, 6, labels, new EpisodeSettings())).Message.ShouldContain("need 5 classes with 2 images; the set has 2 such classes");
    }

    [Fact]
    public void Episodes_stand_among_the_metrics_under_their_names()
    {
        var (points, labels) = Points.Clouds(6, noise: 1, seed: 1, 6, 6, 6, 6, 6);
        string[] names = ["greek/alpha", "greek/beta", "latin/a", "latin/b", "latin/c"];
        var options = EvaluationOptions.Validation with { Intervals = new IntervalSettings(), Episodes = [EpisodeSettings.Parse("5w1s"), EpisodeSettings.Parse("3w1s-within")] };

        var (result, played) = EmbeddingJudge.Judge(points, 6, labels, names, options, CancellationToken.None);

        played.Select(episode => episode.Settings.Name).ShouldBe(["5w1s", "3w1s-within"]);
        result.Values["5w1s"].ShouldBe(played[0].Accuracy);
        result.Intervals.Keys.ShouldContain("3w1s-within");
    }

    private static EpisodeResult Judge(float[] points, int dimension, int[] labels, EpisodeSettings settings) =>
        Episodes.Judge(points, dimension, labels, [], settings, CancellationToken.None);
}
