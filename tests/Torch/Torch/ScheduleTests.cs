using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.optim;

namespace DmlPipeline.Tests.Torch.Torch;

public sealed class ScheduleTests
{
    private static readonly Dictionary<string, Func<Optimizer, lr_scheduler.LRScheduler>> Schedules = new(StringComparer.Ordinal)
    {
        ["step"] = o => lr_scheduler.StepLR(o, 3, 0.5),
        ["multistep"] = o => lr_scheduler.MultiStepLR(o, [2, 5]),
        ["exponential"] = o => lr_scheduler.ExponentialLR(o, 0.9),
        ["lambda_"] = o => lr_scheduler.LambdaLR(o, e => 1.0 / (1 + e)),
        ["linear"] = o => lr_scheduler.LinearLR(o, 0.25, 1.0, 4),
        ["cosine"] = o => lr_scheduler.CosineAnnealingLR(o, 10, 0.01),
        ["onecycle"] = o => lr_scheduler.OneCycleLR(o, 0.3, 11),
        ["sequential"] = o => lr_scheduler.SequentialLR(o, [lr_scheduler.LinearLR(o, 0.25, 1.0, 3), lr_scheduler.CosineAnnealingLR(o, 8)], [3]),
    };

    public static TheoryData<string> ScheduleNames => [.. Schedules.Keys];

    [Theory]
    [MemberData(nameof(ScheduleNames))]
    public void A_schedule_runs_as_PyTorchs(string name)
    {
        using var scope = NewDisposeScope();
        using var optimiser = SGD([new Parameter(zeros(1))], 0.2, 0.9);
        var schedule = Schedules[name](optimiser);
        var expected = Golden.Get($"schedule.{name}").data<double>().ToArray();

        foreach (var rate in expected)
        {
            optimiser.ParamGroups.Single().LearningRate.ShouldBe(rate, 1e-12);
            schedule.get_last_lr().Single().ShouldBe(rate, 1e-12);
            schedule.step();
        }
    }
}
