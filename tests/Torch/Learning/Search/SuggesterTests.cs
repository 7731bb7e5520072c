using DmlPipeline.Learning.Search;

namespace DmlPipeline.Tests.Torch.Learning.Search;

public sealed class SuggesterTests
{
    private const int Seeds = 20, Trials = 60;

    private static readonly SearchSpace Plane = new([SearchParameter.Of("x", ParameterKind.Range, -5, 10), SearchParameter.Of("y", ParameterKind.Range, 0, 15)]);

    [Fact]
    public void The_estimator_beats_random_search_on_a_quadratic() => Compare(Plane, at => -(Math.Pow(at[0] - 3, 2) + Math.Pow(at[1] - 4, 2)));

    [Fact]
    public void The_estimator_beats_random_search_on_branin() => Compare(Plane, at =>
        -(Math.Pow(at[1] - (5.1 / (4 * Math.PI * Math.PI) * at[0] * at[0]) + (5 / Math.PI * at[0]) - 6, 2) + (10 * (1 - (1 / (8 * Math.PI))) * Math.Cos(at[0])) + 10));

    [Fact]
    public void The_estimator_finds_the_one_good_choice_and_the_magnitude_that_goes_with_it()
    {
        var space = new SearchSpace([SearchParameter.Of("kind", "a", "b", "c", "d", "e"), SearchParameter.Of("rate", ParameterKind.LogRange, 1e-5, 1)]);

        var history = Search(space, new ParzenSuggester(), at => (at[0] == 2 ? 1 : 0) - Math.Abs(Math.Log10(at[1]) + 3), seed: 3);

        var last = history.Skip(40).ToList();
        last.Count(o => (int)(o.Point[0] * 5) == 2).ShouldBeGreaterThan(last.Count / 2);
        history.Max(o => o.Score).ShouldBeGreaterThan(0.9);
    }

    [Fact]
    public void A_search_that_goes_on_suggests_what_it_would_have_suggested()
    {
        var whole = Search(Plane, new ParzenSuggester(), at => -at[0], seed: 8);

        for (var done = 0; done < whole.Count; done += 7) new ParzenSuggester().Suggest(Plane, [.. whole.Take(done)], seed: 8).ShouldBe(whole[done].Point);
    }

    [Fact]
    public void Failed_trials_and_equal_scores_do_no_harm()
    {
        var history = Enumerable.Range(0, 30).Select(i => new Observation([0.5, i / 30.0], i % 2 == 0 ? double.NegativeInfinity : 0)).ToList();

        var point = new ParzenSuggester().Suggest(Plane, history, seed: 1);

        point.ShouldAllBe(place => place >= 0 && place < 1);
    }

    [Fact]
    public void A_density_integrates_to_one_and_its_draws_follow_it()
    {
        var density = new ParzenDensity([0.1, 0.12, 0.9, 0.9]);
        var random = new DmlPipeline.Learning.Data.CounterRandom(1, 1);
        var draws = Enumerable.Range(0, 20_000).Select(_ => density.Draw(ref random)).ToArray();

        Enumerable.Range(0, 10_000).Sum(i => density.At((i + 0.5) / 10_000)).ShouldBe(10_000, 5);
        for (var bin = 0; bin < 10; bin++)
        {
            var expected = Enumerable.Range(0, 100).Average(i => density.At((bin + ((i + 0.5) / 100)) / 10)) / 10;
            ((double)draws.Count(draw => (int)(draw * 10) == bin) / draws.Length).ShouldBe(expected, 0.012, $"bin {bin}");
        }
    }

    private static void Compare(SearchSpace space, Func<double[], double> score)
    {
        double Best(ISuggester suggester) => Enumerable.Range(0, Seeds).Average(seed => Search(space, suggester, score, seed).Max(o => o.Score));

        var (estimator, random) = (Best(new ParzenSuggester()), Best(new RandomSuggester()));
        estimator.ShouldBeGreaterThan(random);
        var wins = Enumerable.Range(0, Seeds).Count(seed => Search(space, new ParzenSuggester(), score, seed).Max(o => o.Score) > Search(space, new RandomSuggester(), score, seed).Max(o => o.Score));
        wins.ShouldBeGreaterThan(Seeds * 2 / 3);
    }

    private static List<Observation> Search(SearchSpace space, ISuggester suggester, Func<double[], double> score, long seed)
    {
        var history = new List<Observation>();
        while (history.Count < Trials)
        {
            var point = suggester.Suggest(space, history, seed);
            var values = space.Parameters.Select((parameter, i) =>
                parameter.Kind == ParameterKind.Choices ? (int)(point[i] * parameter.Choices.Count) : double.Parse(parameter.At(point[i]), System.Globalization.CultureInfo.InvariantCulture));
            history.Add(new Observation(point, score([.. values])));
        }
        return history;
    }
}
