namespace DmlPipeline.Learning.Search;

/// <summary>One round: how many go into it and with what share of the full length.</summary>
public sealed record HalvingRound(int Entrants, double Share);

/// <summary>What a trial of a round came to.</summary>
public sealed record RoundResult(int Configuration, int Round, double Score);

/// <summary>
/// Successive halving (Jamieson and Talwalkar 2016): all configurations are tried briefly, the better third for three times as long, and so on until few are
/// tried in full.
/// </summary>
public static class SuccessiveHalving
{
    private const int Keep = 3;

    // The shortest trials get a ninth of the full length: less says little about where a training ends.
    private const int MostRounds = 3;

    public static IReadOnlyList<HalvingRound> Plan(int configurations)
    {
        if (configurations < 1) throw new ArgumentOutOfRangeException(nameof(configurations), configurations, "There must be at least one configuration.");
        var rounds = new List<HalvingRound>();
        for (var entrants = configurations; rounds.Count < MostRounds && entrants >= 1; entrants /= Keep) rounds.Add(new HalvingRound(entrants, 1));
        return [.. rounds.Select((round, i) => round with { Share = Math.Pow(Keep, i - (rounds.Count - 1)) })];
    }

    /// <summary>The trial to run next, round by round, or null when all is done. Of equals the earlier configuration goes on.</summary>
    public static (int Configuration, int Round)? Next(int configurations, IReadOnlyList<RoundResult> results)
    {
        var entrants = Enumerable.Range(0, configurations).ToArray();
        var plan = Plan(configurations);
        for (var round = 0; round < plan.Count; round++)
        {
            if (round > 0)
            {
                var scores = results.Where(result => result.Round == round - 1).ToDictionary(result => result.Configuration, result => result.Score);
                entrants = [.. entrants.OrderByDescending(configuration => scores[configuration]).ThenBy(configuration => configuration).Take(plan[round].Entrants).Order()];
            }
            var done = results.Where(result => result.Round == round).Select(result => result.Configuration).ToHashSet();
            foreach (var configuration in entrants)
                if (!done.Contains(configuration)) return (configuration, round);
        }
        return null;
    }
}
