using System.Diagnostics.Metrics;
using DmlPipeline.Hosting.Observability;

namespace DmlPipeline.Tests.Services.Hosting;

public sealed class PrometheusTests : IDisposable
{
    // By the name that is listened to; instruments of this test's own.
    private readonly Meter meter = new("DmlPipeline");
    private readonly PrometheusMetrics metrics = new();
    private readonly string unique = $"test{Guid.NewGuid():N}";

    public void Dispose()
    {
        meter.Dispose();
        metrics.Dispose();
    }

    [Fact]
    public void What_is_counted_adds_up_by_label()
    {
        var counter = meter.CreateCounter<int>($"{unique}.drops", description: "Drops taken");
        counter.Add(2, new KeyValuePair<string, object?>("dataset", "birds"));
        counter.Add(3, new KeyValuePair<string, object?>("dataset", "birds"));
        counter.Add(1, new KeyValuePair<string, object?>("dataset", "a \"b\"\n\\c"));

        Lines().ShouldBe(
        [
            $"# HELP {unique}_drops_total Drops taken", $"# TYPE {unique}_drops_total counter",
            $"{unique}_drops_total{{dataset=\"a \\\"b\\\"\\n\\\\c\"}} 1", $"{unique}_drops_total{{dataset=\"birds\"}} 5",
        ]);
    }

    [Fact]
    public void What_is_observed_is_the_value_of_now()
    {
        var value = 7.5;
        meter.CreateObservableGauge($"{unique}.temperature", () => value);

        Lines().ShouldContain($"{unique}_temperature 7.5");
        value = -1;
        Lines().ShouldContain($"{unique}_temperature -1");
    }

    [Fact]
    public void What_goes_up_and_down_is_the_sum_of_its_steps()
    {
        var running = meter.CreateUpDownCounter<long>($"{unique}.running");
        running.Add(3);
        running.Add(-1);

        Lines().ShouldBe([$"# TYPE {unique}_running gauge", $"{unique}_running 2"]);
    }

    [Fact]
    public void Durations_are_counted_in_seconds_and_buckets_that_hold_all_below_them()
    {
        var duration = meter.CreateHistogram<double>($"{unique}.wait", "ms");
        foreach (var milliseconds in new[] { 3.0, 50, 50, 70_000_000 }) duration.Record(milliseconds);

        var lines = Lines();
        lines.ShouldContain($"# TYPE {unique}_wait_seconds histogram");
        lines.ShouldContain($"{unique}_wait_seconds_bucket{{le=\"0.005\"}} 1");
        lines.ShouldContain($"{unique}_wait_seconds_bucket{{le=\"0.1\"}} 3");
        lines.ShouldContain($"{unique}_wait_seconds_bucket{{le=\"36000\"}} 3");
        lines.ShouldContain($"{unique}_wait_seconds_bucket{{le=\"+Inf\"}} 4");
        lines.ShouldContain($"{unique}_wait_seconds_count 4");
        lines.ShouldContain($"{unique}_wait_seconds_sum 70000.103");
    }

    private List<string> Lines() => [.. metrics.Render().Split('\n').Where(line => line.Contains(unique, StringComparison.Ordinal))];
}
