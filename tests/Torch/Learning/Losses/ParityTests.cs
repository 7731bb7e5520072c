using DmlPipeline.Learning.Losses;
using Xunit.Abstractions;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

/// <summary>
/// Against make_parity_golden.py: pytorch-metric-learning itself, or the definition pair by pair where it has no such loss. infra/parity prints the table.
/// </summary>
public sealed class ParityTests(ITestOutputHelper output)
{
    private const double Tolerance = 1e-5;

    [Fact]
    public void Every_loss_and_its_gradients_equal_the_oracle()
    {
        output.WriteLine($"{"loss",-60} {"oracle",-11} {"value",9} {"gradient",9}   largest difference, relative to the largest number");
        var all = GoldenCase.All.Values.Select(@case => (Case: @case, Parity: Parity.Measure(@case))).ToList();
        foreach (var (@case, parity) in all) output.WriteLine($"{@case.Title,-60} {@case.Oracle,-11} {parity.Value,9:0.0e+00} {parity.Gradient,9:0.0e+00}");

        foreach (var (@case, parity) in all)
        {
            Math.Max(parity.Value, parity.Gradient).ShouldBeLessThan(Tolerance, @case.Title);
            Math.Max(parity.Value, parity.Gradient).ShouldBeLessThan(Parity.Bound(@case.Loss.Entry), $"{@case.Title}: further off than README.md says");
        }
    }

    [Fact]
    public void No_loss_is_without_an_oracle()
    {
        LossCatalogue.Names.Except(GoldenCase.All.Values.Select(@case => @case.Loss.Name)).ShouldBeEmpty();
    }
}
