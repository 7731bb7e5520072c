using DmlPipeline.Learning.Evaluation.Drift;
using DmlPipeline.Training;

namespace DmlPipeline.Tests.Pipeline.Retraining;

public sealed class RetrainingPolicyTests
{
    private static readonly DateTimeOffset Now = new(2027, 3, 12, 2, 30, 0, TimeSpan.Zero);

    private static PolicySettings Policy { get; } = new() { MinNewImages = 50, MinNewShare = 0.1, MaxAge = "30d" };

    /// <summary>Three images came an hour ago, at a fire; the last training was two days ago.</summary>
    private static RetrainingFacts Facts { get; } = new()
    {
        Now = Now, Scheduled = true, Version = 3, Latest = 3, VersionAt = Now.AddHours(-1), WaitingSince = Now.AddHours(-1), Images = 1000, TrainedVersion = 2, TrainedAt = Now.AddDays(-2),
        NewImages = 3, NewClasses = 0, Champion = 2,
    };

    [Fact]
    public void Without_a_policy_every_new_version_is_trained_on_at_once()
    {
        Decide(new PolicySettings(), Facts with { Scheduled = false }).ShouldBe((Verdict.Train, "3 images are new since v2"));
        Decide(new PolicySettings(), Facts with { Scheduled = false, Version = 1, Latest = 1, TrainedVersion = null, TrainedAt = null }).ShouldBe((Verdict.Train, "first version of the dataset"));
    }

    [Fact]
    public void Forced_trains_whatever_else_is_so() =>
        Decide(Policy with { CoolDown = "10d" }, Facts with { Forced = true, NewImages = 0 }).ShouldBe((Verdict.Train, "forced: the policy was not asked"));

    [Fact]
    public void Too_few_new_images_or_too_small_a_share_are_no_reason()
    {
        Decide(Policy, Facts).ShouldBe((Verdict.Decline, "only 3 images are new since v2, and the policy asks for 50 images and 10 % of 1,000"));
        Decide(Policy, Facts with { NewImages = 60 }).ShouldBe((Verdict.Decline, "only 60 images are new since v2, and the policy asks for 10 % of 1,000"));
        Decide(Policy, Facts with { NewImages = 0 }).ShouldBe((Verdict.Decline, "nothing is new since v2"));
        Decide(Policy, Facts with { NewImages = 100, NewClasses = 1 }).ShouldBe((Verdict.Train, "100 images are new since v2, 1 class among them"));
    }

    [Fact]
    public void New_classes_are_a_reason_where_the_policy_says_so()
    {
        Decide(Policy, Facts with { NewClasses = 2 }).Verdict.ShouldBe(Verdict.Decline);
        Decide(Policy with { NewClasses = 2 }, Facts with { NewClasses = 2 }).ShouldBe((Verdict.Train, "2 new classes since v2"));
        Decide(Policy with { NewClasses = 3 }, Facts with { NewClasses = 2 }).Verdict.ShouldBe(Verdict.Decline);
    }

    [Fact]
    public void Age_is_a_reason_at_a_fire_without_new_data()
    {
        var old = Facts with { NewImages = 0, TrainedAt = Now.AddDays(-31) };

        Decide(Policy, old).ShouldBe((Verdict.Train, "the last training began 31 days ago, and the policy allows 30 days"));
        Decide(Policy, old with { TrainedAt = Now.AddDays(-30) }).Verdict.ShouldBe(Verdict.Decline);
        Decide(Policy with { MaxAge = null }, old).Verdict.ShouldBe(Verdict.Decline);
    }

    [Fact]
    public void During_a_cool_down_a_fire_declines_and_new_data_wait()
    {
        var cooling = Policy with { CoolDown = "3d" };

        Decide(cooling, Facts with { NewImages = 500 }).ShouldBe((Verdict.Decline, "the last training began 2 days ago, and the cool-down is 3 days"));
        var waits = RetrainingPolicy.Decide(cooling, onNewData: true, Facts with { NewImages = 500, Scheduled = false });
        (waits.Verdict, waits.Until).ShouldBe((Verdict.Wait, Now.AddDays(1)));
        Decide(cooling, Facts with { NewImages = 500, TrainedAt = Now.AddDays(-3) }).Verdict.ShouldBe(Verdict.Train);
    }

    [Fact]
    public void What_a_wrong_clock_put_into_the_future_is_waited_for_no_longer_than_the_policy_says()
    {
        var ahead = Facts with { Scheduled = false, VersionAt = Now.AddHours(1), WaitingSince = Now.AddHours(1), TrainedAt = Now.AddHours(1) };

        Decide(new PolicySettings(), ahead).Verdict.ShouldBe(Verdict.Train);
        RetrainingPolicy.Decide(new PolicySettings { Debounce = "10m" }, onNewData: true, ahead).Until.ShouldBe(Now.AddMinutes(10));
        RetrainingPolicy.Decide(new PolicySettings { CoolDown = "20m" }, onNewData: true, ahead).Until.ShouldBe(Now.AddMinutes(20));
    }

    [Fact]
    public void Many_drops_make_one_training()
    {
        var debounced = new PolicySettings { Debounce = "2h" };
        var first = Facts with { Scheduled = false };

        RetrainingPolicy.Decide(debounced, onNewData: true, first).ShouldSatisfyAllConditions(
            decision => decision.Verdict.ShouldBe(Verdict.Wait), decision => decision.Until.ShouldBe(first.VersionAt.AddHours(2)), decision => decision.Reason.ShouldContain("debounce"));
        Decide(debounced, first with { Latest = 4 }).ShouldBe((Verdict.Decline, "v4 came before v3 was decided on: one training sees both"));
        Decide(debounced, first with { Now = first.VersionAt.AddHours(2) }).Verdict.ShouldBe(Verdict.Train);
        // Drops that never end must not keep a dataset from ever being trained on.
        Decide(debounced, first with { WaitingSince = Now.AddHours(-20) }).Verdict.ShouldBe(Verdict.Train);
    }

    [Fact]
    public void A_version_that_a_schedule_trained_on_meanwhile_is_not_trained_on_again() =>
        Decide(new PolicySettings(), Facts with { Scheduled = false, TrainedVersion = 3, NewImages = 0 }).ShouldBe((Verdict.Decline, "v3 is trained on already"));

    [Fact]
    public void Switched_off_new_data_is_no_reason_but_a_schedule_still_asks()
    {
        RetrainingPolicy.Decide(new PolicySettings(), onNewData: false, Facts with { Scheduled = false }).Reason.ShouldContain("OnNewData");
        RetrainingPolicy.Decide(new PolicySettings(), onNewData: false, Facts).Verdict.ShouldBe(Verdict.Train);
    }

    [Fact]
    public void Drift_is_asked_for_only_when_nothing_else_decides()
    {
        var watchful = Policy with { Drift = "mmd" };

        Decide(watchful, Facts).Verdict.ShouldBe(Verdict.MeasureDrift);
        Decide(watchful, Facts with { NewImages = 500 }).Verdict.ShouldBe(Verdict.Train);
        Decide(watchful, Facts with { NewImages = 0 }).Verdict.ShouldBe(Verdict.Decline);
        Decide(watchful, Facts with { Champion = null }).Reason.ShouldContain("no champion");
        Decide(watchful, Facts with { DriftUnknown = "too few" }).Reason.ShouldEndWith("drift is not known: too few");
    }

    [Fact]
    public void Each_measure_of_drift_counts_where_the_policy_names_it()
    {
        var far = new PermutationResult(0.2, 0.05, 0.0025, 0.01);
        var near = new PermutationResult(0.01, 0.05, 0.4, 0.01);
        var drift = new DriftReport(100, 50, far, near, new RecallDrop(0.9, 0.7, 0.1));

        Decide(Policy with { Drift = "mmd" }, Facts with { Drift = drift }).ShouldBe((Verdict.Train, "the new images look different to champion v2: MMD² 0.2, threshold 0.05 (p 0.003, alpha 0.01)"));
        Decide(Policy with { Drift = "frechet" }, Facts with { Drift = drift }).Reason.ShouldEndWith("no drift: Fréchet distance 0.01, threshold 0.05 (p 0.4, alpha 0.01)");
        Decide(Policy with { MaxRecallDrop = 0.1 }, Facts with { Drift = drift }).ShouldBe((Verdict.Train, "champion v2 finds less among new images: recall@1 0.700 instead of 0.900, and the policy allows 0.100 less"));
        Decide(Policy with { MaxRecallDrop = 0.3 }, Facts with { Drift = drift }).Verdict.ShouldBe(Verdict.Decline);
        Decide(Policy with { MaxRecallDrop = 0.1 }, Facts with { Drift = drift with { Recall = new RecallDrop(0.9, 0.7, -0.05) } }).Verdict.ShouldBe(Verdict.Decline);
    }

    [Fact]
    public void A_policy_says_what_is_wrong_with_it()
    {
        new PolicySettings { MaxAge = "old" }.Mistakes().ShouldHaveSingleItem().ShouldContain("max-age");
        new PolicySettings { Replay = 0.5 }.Mistakes().ShouldHaveSingleItem().ShouldContain("replay");
        new PolicySettings { Drift = "perhaps" }.Mistakes().ShouldHaveSingleItem().ShouldContain("Drift");
        new PolicySettings { MinNewImages = 0 }.Mistakes().ShouldHaveSingleItem().ShouldContain("MinNewImages");
        new PolicySettings().Mistakes().ShouldBeEmpty();
    }

    private static (Verdict Verdict, string Reason) Decide(PolicySettings policy, RetrainingFacts facts)
    {
        var decision = RetrainingPolicy.Decide(policy, onNewData: true, facts);
        return (decision.Verdict, decision.Reason);
    }
}
