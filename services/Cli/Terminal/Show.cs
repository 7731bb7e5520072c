namespace DmlPipeline.Cli.Terminal;

/// <summary>Numbers and times as people read them.</summary>
internal static class Show
{
    private const int BarWidth = 24;

    public static string Count(long number) => $"{number:N0}";

    public static string Count(long number, string one, string? many = null) => $"{number:N0} {(number == 1 ? one : many ?? one + "s")}";

    public static string Percent(double share) => $"{100 * share:0.0} %";

    public static string Bytes(long bytes) => bytes switch
    {
        < 1000 => $"{bytes} B",
        < 1_000_000 => $"{bytes / 1e3:0.0} kB",
        < 1_000_000_000 => $"{bytes / 1e6:0.0} MB",
        _ => $"{bytes / 1e9:0.00} GB",
    };

    public static string Duration(TimeSpan time) => time.TotalSeconds switch
    {
        < 60 => $"{time.TotalSeconds:0} s",
        < 3600 => $"{(int)time.TotalMinutes} min {time.Seconds:00} s",
        _ => $"{(int)time.TotalHours} h {time.Minutes:00} min",
    };

    public static string Between(long? from, long? to) => from is null ? "" : Duration(TimeSpan.FromMilliseconds((to ?? DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()) - from.Value));

    public static string Time(long unixMilliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(unixMilliseconds).ToLocalTime().ToString("yyyy-MM-dd HH:mm");

    public static string Bar(double fraction)
    {
        var done = (int)Math.Round(Math.Clamp(fraction, 0, 1) * BarWidth);
        return new string('━', done) + new string('─', BarWidth - done);
    }
}
