using System.Globalization;

namespace DmlPipeline.Training;

public enum Verdict
{
    /// <summary>A training begins.</summary>
    Train,

    /// <summary>None does; the next version or the next fire asks again.</summary>
    Decline,

    /// <summary>Asked again at <see cref="RetrainingDecision.Until"/>.</summary>
    Wait,

    /// <summary>Asked again when drift is measured: nothing else is a reason.</summary>
    MeasureDrift,
}

/// <param name="Verdict">What is to happen.</param>
/// <param name="Reason">Why, or why not, in a sentence.</param>
/// <param name="Until">When to ask again, for <see cref="Verdict.Wait"/>.</param>
public sealed record RetrainingDecision(Verdict Verdict, string Reason, DateTimeOffset? Until = null);

/// <summary>Decides whether a dataset is trained on: at each new version of it, and at each fire of a schedule. The first rule that applies decides.</summary>
public static class RetrainingPolicy
{
    // A dataset that never comes to rest is decided on all the same.
    private const int LongestDebounce = 10;

    /// <remarks>What another machine's clock puts into the future counts as happening now: a clock that is an hour wrong must not make anybody wait for an hour.</remarks>
    public static RetrainingDecision Decide(PolicySettings policy, bool onNewData, RetrainingFacts facts)
    {
        if (facts.Forced) return Train("forced: the policy was not asked");
        if (!facts.Scheduled)
        {
            if (!onNewData) return Decline("training on new data is switched off (Training:OnNewData)");
            if (facts.Latest > facts.Version) return Decline($"v{facts.Latest} came before v{facts.Version} was decided on: one training sees both");
            if (facts.TrainedVersion >= facts.Version) return Decline($"v{facts.TrainedVersion} is trained on already");
            var quiet = Earlier(facts.VersionAt, facts.Now) + policy.Quiet;
            var longest = Earlier(facts.WaitingSince, facts.Now) + (LongestDebounce * policy.Quiet);
            if (quiet > facts.Now && facts.Now < longest) return Wait(Earlier(quiet, longest), "more drops may follow (debounce)");
        }
        if (facts is not { TrainedVersion: { } trained, TrainedAt: { } trainedAt }) return Train(facts.Version == 1 ? "first version of the dataset" : "no version was trained on yet");
        trainedAt = Earlier(trainedAt, facts.Now);
        if (trainedAt + policy.Cooling > facts.Now)
        {
            var why = $"the last training began {Text(facts.Now - trainedAt)} ago, and the cool-down is {Text(policy.Cooling)}";
            // A fire has a next one; data that came during a cool-down must not be forgotten.
            return facts.Scheduled ? Decline(why) : Wait(trainedAt + policy.Cooling, why);
        }
        if (IsEnough(policy, facts)) return Train($"{Images(facts.NewImages)} new since v{trained}{Classes(facts)}");
        if (policy.NewClasses <= facts.NewClasses) return Train($"{facts.NewClasses} new classes since v{trained}");
        if (facts.Scheduled && policy.Age is { } most && facts.Now - trainedAt > most)
            return Train($"the last training began {Text(facts.Now - trainedAt)} ago, and the policy allows {Text(most)}");
        return Drift(policy, facts, TooLittle(policy, facts, trained));
    }

    private static bool IsEnough(PolicySettings policy, RetrainingFacts facts) =>
        facts.NewImages >= policy.MinNewImages && facts.NewImages >= policy.MinNewShare * facts.Images;

    private static string TooLittle(PolicySettings policy, RetrainingFacts facts, int trained)
    {
        if (facts.NewImages == 0) return $"nothing is new since v{trained}";
        var bounds = new List<string>();
        if (facts.NewImages < policy.MinNewImages) bounds.Add(string.Create(CultureInfo.InvariantCulture, $"{policy.MinNewImages:N0} images"));
        if (facts.NewImages < policy.MinNewShare * facts.Images) bounds.Add(string.Create(CultureInfo.InvariantCulture, $"{100 * policy.MinNewShare:0.##} % of {facts.Images:N0}"));
        return $"only {Images(facts.NewImages)} new since v{trained}, and the policy asks for {string.Join(" and ", bounds)}";
    }

    /// <summary>The last reason there can be: the new data are of another kind.</summary>
    private static RetrainingDecision Drift(PolicySettings policy, RetrainingFacts facts, string tooLittle)
    {
        if (policy is { Drift: PolicySettings.NoDrift, MaxRecallDrop: null } || facts.NewImages == 0) return Decline(tooLittle);
        if (facts.Champion is null) return Decline($"{tooLittle}; there is no champion to measure drift with");
        if (facts.DriftUnknown is { } unknown) return Decline($"{tooLittle}; drift is not known: {unknown}");
        if (facts.Drift is not { } drift) return new RetrainingDecision(Verdict.MeasureDrift, $"{tooLittle}; drift is being measured");
        if (policy.Drift == PolicySettings.Mmd && drift.Mmd.IsDrift) return Train($"the new images look different to champion v{facts.Champion}: {drift.Mmd.Text("MMD²")}");
        if (policy.Drift == PolicySettings.Frechet && drift.Frechet.IsDrift) return Train($"the new images look different to champion v{facts.Champion}: {drift.Frechet.Text("Fréchet distance")}");
        if (policy.MaxRecallDrop is { } most && drift.Recall is { } recall && recall.IsBelow(most))
            return Train(string.Create(CultureInfo.InvariantCulture, $"champion v{facts.Champion} finds less among new images: recall@1 {recall.New:0.000} instead of {recall.Reference:0.000}, and the policy allows {most:0.000} less"));
        var measured = policy.Drift switch
        {
            PolicySettings.Mmd => $"; no drift: {drift.Mmd.Text("MMD²")}",
            PolicySettings.Frechet => $"; no drift: {drift.Frechet.Text("Fréchet distance")}",
            _ => "",
        };
        return Decline($"{tooLittle}{measured}{(policy.MaxRecallDrop is not null && drift.Recall is { } same ? string.Create(CultureInfo.InvariantCulture, $"; recall@1 {same.New:0.000} beside {same.Reference:0.000} before") : "")}");
    }

    private static RetrainingDecision Train(string reason) => new(Verdict.Train, reason);

    private static RetrainingDecision Decline(string reason) => new(Verdict.Decline, reason);

    private static RetrainingDecision Wait(DateTimeOffset until, string why) =>
        new(Verdict.Wait, string.Create(CultureInfo.InvariantCulture, $"waits until {until.UtcDateTime:yyyy-MM-dd HH:mm} UTC: {why}"), until);

    private static DateTimeOffset Earlier(DateTimeOffset a, DateTimeOffset b) => a < b ? a : b;

    private static string Images(int count) => count == 1 ? "1 image is" : string.Create(CultureInfo.InvariantCulture, $"{count:N0} images are");

    private static string Classes(RetrainingFacts facts) => facts.NewClasses switch { 0 => "", 1 => ", 1 class among them", var many => $", {many} classes among them" };

    private static string Text(TimeSpan time) => time.TotalDays >= 2 ? $"{time.TotalDays:0.#} days" : time.TotalHours >= 1 ? $"{time.TotalHours:0.#} h" : $"{time.TotalMinutes:0} min";
}
