using System.Text.RegularExpressions;
using DmlPipeline.Evaluation.Report;
using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Tests.Torch.Learning.Evaluation;

public sealed partial class ReportPageTests
{
    private const string Hostile = "<script>alert('x')</script>/\"><img src=x onerror=alert(1)> & co";

    private static readonly ReportFacts Facts = new()
    {
        Model = "signs v2",
        Dataset = "signs, dataset version 1",
        Created = new DateTimeOffset(2025, 3, 4, 5, 6, 0, TimeSpan.Zero),
        Evaluation = new EvaluationReport
        {
            Metrics = new Dictionary<string, double> { ["recall@1"] = 0.934, ["map@r"] = 0.5 },
            Images = 1200, Classes = 30, Queries = 1199, ExcludedQueries = 1, EmbeddingSize = 128, KMeans = new KMeansSettings { Clusters = 30 },
            Baselines = new Dictionary<string, IReadOnlyDictionary<string, double>> { ["raw-pixels"] = new Dictionary<string, double> { ["recall@1"] = 0.301 } },
        },
        Details = [("Recipe", "circle")],
        Epochs = [.. Enumerable.Range(1, 12).Select(e => new EpochPoint(e, 2.0 / e, e % 2 == 0 ? 0.5 + (e / 40.0) : null, e % 2 == 0 ? 0.3 + (e / 40.0) : null))],
        Gallery = [new GalleryPart("Hardest queries", "Lowest average precision.", [Entry("A/1", "A/1", "B/2")])],
    };

    [Fact]
    public void Diagnostics_are_curves_where_they_were_measured()
    {
        var measured = Render(Facts with { Epochs = [.. Facts.Epochs.Select(epoch => epoch with { ActiveFraction = 1.0 / epoch.Epoch, PositiveSimilarity = 0.5, NegativeSimilarity = 0.1 })] });

        measured.ShouldContain("still teach: 100 % in epoch 1, 8.3 % in epoch 12");
        measured.ShouldContain("Mean cosine within a class");
        measured.ShouldContain("Mean cosine between classes");
        Render(Facts).ShouldNotContain("Mean cosine");
    }

    [Fact]
    public void Data_cannot_bring_markup_into_the_page()
    {
        var page = Render(Facts with
        {
            Model = Hostile, Dataset = Hostile, Details = [(Hostile, Hostile)],
            Evaluation = Facts.Evaluation with
            {
                Metrics = new Dictionary<string, double> { [Hostile] = 1 },
                Baselines = new Dictionary<string, IReadOnlyDictionary<string, double>> { [Hostile] = new Dictionary<string, double>() },
            },
            Gallery = [new GalleryPart(Hostile, Hostile, [Entry(Hostile, Hostile, Hostile)])],
        });

        page.ShouldNotContain("<script");
        page.ShouldNotContain("<img src=x");
        page.ShouldContain("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;/&quot;&gt;&lt;img src=x onerror=alert(1)&gt; &amp; co");
        TagsOf(page).ShouldBeSubsetOf(TagsOf(Render(Facts)).Append("p"));
        CheckNesting(page);
    }

    [Fact]
    public void The_page_stands_alone_and_its_tags_are_nested()
    {
        var page = Render(Facts);

        CheckNesting(page);
        page.ShouldNotContain("://");
        Source().Matches(page).Select(m => m.Groups[1].Value).ShouldAllBe(source => source.StartsWith("data:image/png;base64,", StringComparison.Ordinal));
        page.ShouldContain("default-src 'none'");
        page.ShouldContain("prefers-color-scheme:dark");
    }

    [Fact]
    public void The_page_says_what_the_report_says()
    {
        var page = Render(Facts);

        page.ShouldContain("For <b>93.4 %</b> of 1,199 queries");
        page.ShouldContain("comparing raw pixels manages 30.1 %");
        page.ShouldContain("1,200 images of 30 classes");
        page.ShouldContain("2025-03-04 05:06 UTC");
        page.ShouldContain("k-means with 30 clusters, greedy k-means++, best of 1");
        page.ShouldContain("best 60 % in epoch 12");
    }

    [Fact]
    public void Right_and_wrong_neighbours_differ_in_mark_and_word()
    {
        var page = Render(Facts);

        Regex.Count(page, "class=\"mark\" title=\"same class\">✓<").ShouldBe(1);
        Regex.Count(page, "class=\"mark\" title=\"another class\">✗<").ShouldBe(1);
        page.ShouldContain("alt=\"same class: A/1\"");
        page.ShouldContain("alt=\"another class: B/2\"");
    }

    [Fact]
    public void A_search_result_without_a_known_answer_has_no_marks()
    {
        using var output = new StringWriter();

        ReportPage.WriteGallery(output, "Nearest to x.png", new GalleryPart("Results", "", [new GalleryEntry(Picture("x.png"), [new GalleryMatch(Picture("A/1"), 0.9f, Correct: null)])]));

        CheckNesting(output.ToString());
        output.ToString().ShouldNotContain("class=\"mark\"");
        output.ToString().ShouldContain("0.900");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3000)]
    public void Curves_take_any_number_of_epochs_and_gaps(int epochs)
    {
        var page = Render(Facts with { Epochs = [.. Enumerable.Range(1, epochs).Select(e => new EpochPoint(e, e % 5 == 1 && e > 1 ? double.NaN : 1, null, null))] });

        CheckNesting(page);
        page.ShouldNotContain("NaN");
        page.ShouldNotContain("∞");
        page.Length.ShouldBeLessThan(40_000);
    }

    [Theory]
    [InlineData(0, 1, new[] { 0, 0.2, 0.4, 0.6, 0.8, 1 })]
    [InlineData(0.31, 2.04, new[] { 0, 0.5, 1, 1.5, 2, 2.5 })]
    [InlineData(61, 95, new[] { 60.0, 70, 80, 90, 100 })]
    public void Ticks_are_round_and_span_the_values(double low, double high, double[] expected) => LineChart.Ticks(low, high, 4).ShouldBe(expected);

    [Fact]
    public void Equal_values_still_make_an_axis()
    {
        var ticks = LineChart.Ticks(3, 3, 4);

        ticks[0].ShouldBeLessThan(3);
        ticks[^1].ShouldBeGreaterThan(3);
        ticks.Length.ShouldBeLessThan(9);
    }

    [Fact]
    public void An_axis_of_shares_ends_at_all_of_them() => LineChart.Ticks(100, 100, 4, highest: 100)[^1].ShouldBe(100);

    [Fact]
    public void A_thumbnail_that_is_no_plain_image_is_refused()
    {
        var entry = new GalleryEntry(new GalleryImage("a", new Thumbnail("image/svg+xml", [1])), []);

        Should.Throw<ArgumentException>(() => Render(Facts with { Gallery = [new GalleryPart("x", "y", [entry])] })).Message.ShouldContain("image/svg+xml");
    }

    private static string Render(ReportFacts facts)
    {
        using var output = new StringWriter();
        ReportPage.Write(output, facts);
        return output.ToString();
    }

    private static GalleryEntry Entry(params string[] classes) => GalleryEntry.From(
        new GalleryRow(0, [.. Enumerable.Range(1, classes.Length - 1)], [.. Enumerable.Range(1, classes.Length - 1).Select(i => 1 - (i * 0.1f))]), i => classes[i], _ => Dot);

    private static GalleryImage Picture(string caption) => new(caption, Dot);

    private static Thumbnail Dot => new("image/png", [137, 80, 78, 71]);

    private static string[] TagsOf(string page) => [.. Tag().Matches(page).Select(m => m.Groups[2].Value).Distinct()];

    private static void CheckNesting(string page)
    {
        var open = new Stack<string>();
        foreach (Match tag in Tag().Matches(page))
        {
            var name = tag.Groups[2].Value;
            if (name is "meta" or "img" || tag.Value.EndsWith("/>", StringComparison.Ordinal)) continue;
            if (tag.Groups[1].Length == 0) open.Push(name);
            else open.Pop().ShouldBe(name, $"closes at {tag.Index}");
        }
        open.ShouldBeEmpty();
    }

    [GeneratedRegex("<(/?)([a-z][a-z0-9]*)[^>]*>")]
    private static partial Regex Tag();

    [GeneratedRegex("src=\"([^\"]*)\"")]
    private static partial Regex Source();
}
