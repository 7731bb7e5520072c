using DmlPipeline.Contracts.Comparisons;

namespace DmlPipeline.Registry.Gates;

/// <summary>Decides whether a version becomes the champion: a function of the rule and the facts, and of nothing else.</summary>
public static class PromotionGate
{
    public static GateDecision Decide(GateRule rule, GateFacts facts)
    {
        GateCondition[] conditions =
        [
            Gain(rule, facts), .. Frozen(rule, facts), .. Groups(rule, facts), .. Limits(rule, facts),
            .. rule.Required.Select(name => Required(name, facts)), .. Approval(rule, facts),
        ];
        var failed = conditions.Where(condition => condition.Outcome == GateOutcome.Refuse).ToArray();
        var open = conditions.Where(condition => condition.Outcome == GateOutcome.Wait).ToArray();
        return failed.Length > 0 ? new GateDecision(GateOutcome.Refuse, Sentence(failed), conditions)
            : open.Length > 0 ? new GateDecision(GateOutcome.Wait, Sentence(open), conditions)
            : new GateDecision(GateOutcome.Promote, conditions[0].Detail, conditions);
    }

    private static string Sentence(IEnumerable<GateCondition> conditions) => string.Join("; ", conditions.Select(condition => condition.Detail));

    private static GateCondition Gain(GateRule rule, GateFacts facts)
    {
        var metric = rule.Metric;
        if (!facts.Metrics.TryGetValue(metric, out var reached) || !double.IsFinite(reached)) return Refuse($"{metric} was not measured, so the version cannot be compared");
        if (facts.Champion is not { } champion)
            return new("gain", GateOutcome.Promote, $"first version: {metric} {reached:0.0000}, and there was no champion to beat", reached);
        if (Difference(rule, facts, SplitKinds.Current) is not var (split, differences))
            return Refuse($"{metric} has no values per query of both v{champion} and this version on the same test split, so the two cannot be compared");

        var gain = PairedBootstrap.Of(differences, rule.Over == DrawnUnit.Classes ? split.Labels : null, rule.Resamples, rule.Confidence, rule.Seed);
        var compared = $"{metric} {Points(gain.Mean)} against v{champion} on the same test split";
        if (gain is not { Low: { } low, High: { } high })
            return new("gain", GateOutcome.Refuse, $"{compared}, of fewer than two {(rule.Over == DrawnUnit.Classes ? "classes" : "queries")}: nobody can tell whether that is luck", gain.Mean, rule.MinimumGain);
        var measured = $"{compared} ({100 * rule.Confidence:0.#} % interval {Points(low)} to {Points(high)})";
        var refusal = low <= 0 ? "may be no gain at all" : gain.Mean < rule.MinimumGain ? $"is less than the {Points(rule.MinimumGain)} asked for" : null;
        return new("gain", refusal is null ? GateOutcome.Promote : GateOutcome.Refuse, refusal is null ? measured : $"{measured}: that {refusal}", gain.Mean, rule.MinimumGain, low, high);

        static GateCondition Refuse(string why) => new("gain", GateOutcome.Refuse, why);
    }

    private static IEnumerable<GateCondition> Frozen(GateRule rule, GateFacts facts)
    {
        if (facts.Champion is null || Difference(rule, facts, SplitKinds.Frozen) is not var (split, differences)) yield break;
        var gain = PairedBootstrap.Of(differences, rule.Over == DrawnUnit.Classes ? split.Labels : null, rule.Resamples, rule.Confidence, rule.Seed);
        var isWorse = gain.Mean < -rule.MaximumFrozenLoss;
        yield return new(
            "frozen", isWorse ? GateOutcome.Refuse : GateOutcome.Promote,
            $"{rule.Metric} {Points(gain.Mean)} on the frozen test split of v{split.DatasetVersion}, where {Points(-rule.MaximumFrozenLoss)} is allowed", gain.Mean, -rule.MaximumFrozenLoss, gain.Low, gain.High);
    }

    private static IEnumerable<GateCondition> Groups(GateRule rule, GateFacts facts)
    {
        if (facts.Champion is null || rule.GroupBy == ClassGroups.None || Difference(rule, facts, SplitKinds.Current) is not var (split, differences)) yield break;
        var groups = Enumerable.Range(0, differences.Length).GroupBy(query => GroupOf(split.Classes[split.Labels[query]]), StringComparer.Ordinal)
            .Where(group => group.Key.Length > 0 && group.Count() >= rule.MinimumGroupQueries);
        foreach (var group in groups.OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            var gain = group.Average(query => differences[query]);
            yield return new(
                $"group {group.Key}", gain < -rule.MaximumGroupLoss ? GateOutcome.Refuse : GateOutcome.Promote,
                $"{rule.Metric} {Points(gain)} in {group.Key} ({group.Count()} queries), where {Points(-rule.MaximumGroupLoss)} is allowed", gain, -rule.MaximumGroupLoss);
        }

        string GroupOf(string name) => rule.GroupBy == ClassGroups.Class ? name : name[..Math.Max(0, name.LastIndexOf('/'))];
    }

    private static IEnumerable<GateCondition> Limits(GateRule rule, GateFacts facts)
    {
        foreach (var (name, bound) in rule.Limits.OrderBy(limit => limit.Key, StringComparer.Ordinal))
        {
            var (mine, champion) = (facts.Comparison?.ChallengerCost, facts.Comparison?.ChampionCost);
            var value = name switch
            {
                GateLimits.LatencyMs => mine?.LatencyMs,
                GateLimits.SizeMb => mine?.Bytes / 1e6,
                GateLimits.EmbeddingSize => mine?.EmbeddingSize,
                GateLimits.LatencyRatio => mine?.LatencyMs / champion?.LatencyMs,
                GateLimits.SizeRatio => (double?)mine?.Bytes / champion?.Bytes,
                _ => null,
            };
            // Nothing to be compared with is nothing to exceed.
            if (value is null && facts.Champion is null && mine is not null) continue;
            yield return value is { } measured
                ? new(name, measured <= bound ? GateOutcome.Promote : GateOutcome.Refuse, $"{name} {measured:0.###}, where {bound:0.###} is allowed", measured, bound)
                : new(name, GateOutcome.Refuse, $"{name} was not measured", null, bound);
        }
    }

    private static GateCondition Required(string name, GateFacts facts)
    {
        // A report goes before the evaluation's own check of the same name: somebody looked again.
        var found = facts.Checks.FirstOrDefault(check => check.Name == name) ?? facts.Comparison?.Checks.FirstOrDefault(check => check.Name == name);
        return found is null ? new($"check {name}", GateOutcome.Wait, $"the check {name} has not been reported yet")
            : new($"check {name}", found.Passed ? GateOutcome.Promote : GateOutcome.Refuse, $"the check {name} {(found.Passed ? "passed" : "failed")}: {found.Detail}");
    }

    private static IEnumerable<GateCondition> Approval(GateRule rule, GateFacts facts)
    {
        if (facts.Approved is not { } approved)
        {
            if (rule.ManualApproval) yield return new("approval", GateOutcome.Wait, "it waits for approval");
        }
        else yield return new("approval", approved ? GateOutcome.Promote : GateOutcome.Refuse, approved ? "it was approved" : "it was rejected");
    }

    /// <summary>Challenger less champion, by query; null where one of them has no values.</summary>
    private static (ComparedSplit Split, double[] Differences)? Difference(GateRule rule, GateFacts facts, string kind) =>
        facts.Comparison?.Split(kind) is { } split && facts.Comparison.Champion == facts.Champion && split.Labels.Count > 0
            && split.Challenger.TryGetValue(rule.Metric, out var challenger) && split.Champion is not null && split.Champion.TryGetValue(rule.Metric, out var champion)
            ? (split, [.. challenger.Zip(champion, (mine, other) => mine - other)])
            : null;

    /// <summary>Hundredths, with their sign, as people say them.</summary>
    private static string Points(double share) => FormattableString.Invariant($"{100 * share:+0.00;-0.00;0.00} points");
}
