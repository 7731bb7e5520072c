using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Numerics;
using System.Text;

namespace DmlPipeline.Hosting.Observability;

/// <summary>Listens to this process's meters and writes what they measured as Prometheus text, format 0.0.4.</summary>
public sealed class PrometheusMetrics : IDisposable
{
    private static readonly string[] Meters = ["DmlPipeline", "MassTransit", "System.Runtime", "Microsoft.AspNetCore.Hosting", "Npgsql"];

    // Seconds: from a message, which takes milliseconds, to a training, which takes hours.
    private static readonly double[] Bounds = [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600, 3600, 36000];

    private readonly ConcurrentDictionary<Instrument, ConcurrentDictionary<string, Series>> measured = new();
    private readonly MeterListener listener = new();

    public PrometheusMetrics()
    {
        listener.InstrumentPublished = (instrument, self) =>
        {
            if (Meters.Contains(instrument.Meter.Name)) self.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<byte>(Measure);
        listener.SetMeasurementEventCallback<short>(Measure);
        listener.SetMeasurementEventCallback<int>(Measure);
        listener.SetMeasurementEventCallback<long>(Measure);
        listener.SetMeasurementEventCallback<float>(Measure);
        listener.SetMeasurementEventCallback<double>(Measure);
        listener.SetMeasurementEventCallback<decimal>(Measure);
        listener.Start();
    }

    public void Dispose() => listener.Dispose();

    /// <summary>Everything measured so far.</summary>
    public string Render()
    {
        listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var (instrument, series) in measured.OrderBy(pair => NameOf(pair.Key), StringComparer.Ordinal)) Write(text, instrument, series);
        return text.ToString();
    }

    private void Measure<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? state) where T : struct, INumber<T>
    {
        var series = measured.GetOrAdd(instrument, _ => new ConcurrentDictionary<string, Series>(StringComparer.Ordinal)).GetOrAdd(Labels(tags), _ => new Series());
        // What is observed is the value itself; what is counted comes in steps.
        var replaces = instrument.IsObservable || instrument.GetType().Name == "Gauge`1";
        lock (series) series.Add(double.CreateChecked(value) * Scale(instrument), replaces);
    }

    private static void Write(StringBuilder text, Instrument instrument, ConcurrentDictionary<string, Series> series)
    {
        var (name, kind) = (NameOf(instrument), KindOf(instrument));
        if (instrument.Description is { Length: > 0 } description) text.Append("# HELP ").Append(name).Append(' ').Append(description.ReplaceLineEndings(" ")).Append('\n');
        text.Append("# TYPE ").Append(name).Append(' ').Append(kind.ToString().ToLowerInvariant()).Append('\n');
        foreach (var (labels, one) in series.OrderBy(pair => pair.Key, StringComparer.Ordinal))
            lock (one)
            {
                if (kind != Kind.Histogram)
                {
                    Line(text, name, labels, one.Sum);
                    continue;
                }
                var below = 0L;
                for (var i = 0; i < Bounds.Length; i++) Line(text, $"{name}_bucket", Join(labels, $"le=\"{Number(Bounds[i])}\""), below += one.Counts[i]);
                Line(text, $"{name}_bucket", Join(labels, "le=\"+Inf\""), one.Count);
                Line(text, $"{name}_sum", labels, one.Sum);
                Line(text, $"{name}_count", labels, one.Count);
            }
    }

    /// <summary>One line of the format: name, labels in braces, value.</summary>
    internal static void Line(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0) text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Join(string labels, string label) => labels.Length == 0 ? label : $"{labels},{label}";

    private static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);

    /// <summary>Label pairs in the order of their names, escaped: <c>kind="train",state="queued"</c>.</summary>
    internal static string Labels(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var labels = new List<string>(tags.Length);
        foreach (var (name, value) in tags)
            labels.Add($"{Word(name)}=\"{Convert.ToString(value, CultureInfo.InvariantCulture)?.Replace(@"\", @"\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal)}\"");
        labels.Sort(StringComparer.Ordinal);
        return string.Join(',', labels);
    }

    /// <summary>Durations are told in seconds, as Prometheus has it.</summary>
    private static double Scale(Instrument instrument) => instrument.Unit == "ms" ? 0.001 : 1;

    private static string NameOf(Instrument instrument)
    {
        var name = Word(instrument.Name);
        var unit = instrument.Unit switch { "s" or "ms" => "_seconds", "By" => "_bytes", _ => "" };
        if (!name.EndsWith(unit, StringComparison.Ordinal)) name += unit;
        return KindOf(instrument) == Kind.Counter && !name.EndsWith("_total", StringComparison.Ordinal) ? $"{name}_total" : name;
    }

    private static string Word(string name) => string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c == '_' ? c : '_'));

    private static Kind KindOf(Instrument instrument) => instrument.GetType().Name switch
    {
        "Counter`1" or "ObservableCounter`1" => Kind.Counter,
        "Histogram`1" => Kind.Histogram,
        _ => Kind.Gauge,
    };

    private enum Kind { Counter, Gauge, Histogram }

    private sealed class Series
    {
        public double Sum { get; private set; }

        public long Count { get; private set; }

        public long[] Counts { get; } = new long[Bounds.Length];

        public void Add(double value, bool replaces)
        {
            Count++;
            Sum = replaces ? value : Sum + value;
            if (Array.FindIndex(Bounds, bound => value <= bound) is >= 0 and var bucket) Counts[bucket]++;
        }
    }
}
