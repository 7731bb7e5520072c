using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using DmlPipeline.Learning.Evaluation;

namespace DmlPipeline.Cli.Judging;

/// <summary>The options that say how embeddings are judged, and what they make of the command line.</summary>
internal static class JudgingOptions
{
    private static readonly Option<string> Metrics = Checked(
        new("--metrics") { Description = $"What to measure, separated by commas: {string.Join(", ", Metric.Forms)}", HelpName = "LIST" }, text => ParseMetrics(text, ks: null));

    private static readonly Option<string> Ks = Checked(new("--k") { Description = "Recall at these ranks, for example 1,10,100. Default: 1,2,4,8", HelpName = "LIST" }, text => ParseKs(text));

    private static readonly Option<string> IntervalsOver = new("--intervals")
    {
        Description = "95 % intervals by drawing classes again (other classes of this kind), or queries (these very classes); or none",
        HelpName = "UNIT",
        DefaultValueFactory = _ => "classes",
    };

    private static readonly Option<string> EpisodeKinds = Checked(
        new("--episodes") { Description = "Few-shot accuracy as well: 5w1s is 5 classes with 1 known image each; 20w1s-within takes the classes of one folder", HelpName = "LIST" },
        text => ParseEpisodes(text, seed: 0));

    private static readonly Option<string> Rerank = Checked(
        new("--rerank") { Description = "Re-rank by reciprocal neighbours. Without a value: 20,6,0.3", HelpName = "K1,K2,LAMBDA", Arity = ArgumentArity.ZeroOrOne }, text => ParseReRanking(text));

    private static readonly Option<string> Expansion = Checked(
        new("--query-expansion") { Description = "Average queries with their N nearest, weighted by similarity to the power ALPHA. Without a value: 3,0", HelpName = "N,ALPHA", Arity = ArgumentArity.ZeroOrOne },
        text => ParseAveraging(text));

    private static readonly Option<string> Augmentation = Checked(
        new("--gallery-augmentation") { Description = "Average gallery images with their N nearest, likewise", HelpName = "N,ALPHA", Arity = ArgumentArity.ZeroOrOne },
        text => ParseAveraging(text));

    private static readonly Option<long> Seed = new("--seed") { Description = "Of intervals, episodes, clustering and the pairs of LDML", HelpName = "N" };

    static JudgingOptions() => IntervalsOver.AcceptOnlyFromAmong("classes", "queries", "none");

    public static IReadOnlyList<Option> All { get; } = [Metrics, Ks, IntervalsOver, EpisodeKinds, Rerank, Expansion, Augmentation, Seed];

    /// <summary>For a command's validators: what cannot be asked for together.</summary>
    public static void Validate(CommandResult result)
    {
        if (result.GetResult(Rerank) is not null && (result.GetResult(Expansion) is not null || result.GetResult(Augmentation) is not null))
            result.AddError("Give either --rerank, or --query-expansion and --gallery-augmentation: both change the ranking");
    }

    /// <summary>Whether re-ranking or averaging is asked for, which are defined for cosines.</summary>
    public static bool ChangesRanking(CommandResult result) =>
        result.GetResult(Rerank) is not null || result.GetResult(Expansion) is not null || result.GetResult(Augmentation) is not null;

    public static EvaluationOptions Read(ParseResult parse)
    {
        var seed = parse.GetValue(Seed);
        var intervals = parse.GetValue(IntervalsOver);
        return new EvaluationOptions
        {
            Metrics = ParseMetrics(parse.GetValue(Metrics), parse.GetValue(Ks) is { } ks ? ParseKs(ks) : null),
            Intervals = intervals == "none" ? null : new IntervalSettings { Over = intervals == "queries" ? ResampledUnit.Queries : ResampledUnit.Classes, Seed = seed },
            Episodes = parse.GetValue(EpisodeKinds) is { } kinds ? ParseEpisodes(kinds, seed) : [],
            ReRanking = parse.GetResult(Rerank) is null ? null : ParseReRanking(parse.GetValue(Rerank)),
            QueryExpansion = parse.GetResult(Expansion) is null ? null : ParseAveraging(parse.GetValue(Expansion)),
            DatabaseAugmentation = parse.GetResult(Augmentation) is null ? null : ParseAveraging(parse.GetValue(Augmentation)),
            KMeans = new KMeansSettings { Seed = seed },
        };
    }

    private static List<Metric> ParseMetrics(string? text, IReadOnlyList<int>? ks)
    {
        var asked = text is null ? Metric.Default : [.. Parts(text).Select(ParseMetric)];
        if (ks is null) return [.. asked.Distinct()];
        // --k replaces the ranks of recall, and where recall was not asked for, it asks for it.
        return [.. ks.Select(Metric.Recall).Concat(asked.Where(metric => metric.Kind != MetricKind.Recall)).Distinct()];
    }

    private static Metric ParseMetric(string name)
    {
        try
        {
            return Metric.Parse(name);
        }
        catch (ArgumentException e) when (char.IsAsciiDigit(name[0]))
        {
            throw new ArgumentException($"{e.Message} Episodes such as 5w1s go into --episodes.", e);
        }
    }

    private static int[] ParseKs(string text) => [.. Parts(text).Select(part => Metric.Parse($"recall@{part}").K)];

    private static List<EpisodeSettings> ParseEpisodes(string text, long seed) => [.. Parts(text).Select(part => EpisodeSettings.Parse(part) with { Seed = seed })];

    private static ReRanking ParseReRanking(string? text)
    {
        if (text is null) return new ReRanking();
        var parts = Parts(text);
        return parts.Length == 3 && Whole(parts[0]) is { } k1 && Whole(parts[1]) is { } k2 && Number(parts[2]) is <= 1 and { } lambda
            ? new ReRanking { K1 = k1, K2 = k2, Lambda = lambda }
            : throw new ArgumentException($"'{text}' is not k1,k2,lambda: write for example --rerank 20,6,0.3, with lambda from 0 to 1");
    }

    private static NeighbourAveraging ParseAveraging(string? text)
    {
        if (text is null) return new NeighbourAveraging();
        var parts = Parts(text);
        return parts.Length is 1 or 2 && Whole(parts[0]) is { } neighbours && Number(parts.ElementAtOrDefault(1) ?? "0") is { } alpha
            ? new NeighbourAveraging { Neighbours = neighbours, Alpha = alpha }
            : throw new ArgumentException($"'{text}' is not a number of neighbours with an alpha: write for example --query-expansion 5 or --query-expansion 10,3");
    }

    private static string[] Parts(string text) => text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    private static int? Whole(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? number : null;

    private static double? Number(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : null;

    /// <summary>Wrong values are wrong usage: they are said before anything is loaded.</summary>
    private static Option<string> Checked(Option<string> option, Func<string, object> parse)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens is not [var token, ..]) return;
            try
            {
                parse(token.Value);
            }
            catch (ArgumentException e)
            {
                result.AddError(e.Message);
            }
        });
        return option;
    }
}
