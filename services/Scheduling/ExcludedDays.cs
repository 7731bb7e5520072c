using System.Globalization;

namespace DmlPipeline.Scheduling;

/// <summary>Days on which a schedule does not fire: weekdays, days of every year, dates, and spans of dates.</summary>
public static class ExcludedDays
{
    private const string Date = "yyyy-MM-dd", DayOfYear = "MM-dd", Span = "..";

    public static bool IsOne(string day) => Reads(day) is not null;

    /// <returns>The entry that excludes the date, or null.</returns>
    public static string? Which(IEnumerable<string> days, DateOnly date) => days.FirstOrDefault(day => Reads(day)?.Invoke(date) == true);

    private static Func<DateOnly, bool>? Reads(string day)
    {
        if (Enum.TryParse<DayOfWeek>(day, ignoreCase: true, out var weekday) && !char.IsAsciiDigit(day[0])) return date => date.DayOfWeek == weekday;
        if (day.Split(Span) is [var from, var to] && TryDate(from, out var first) && TryDate(to, out var last)) return first <= last ? date => date >= first && date <= last : null;
        if (TryDate(day, out var exactly)) return date => date == exactly;
        // The 29th of February is a day of every year in which it comes: a leap year reads it.
        return DateOnly.TryParseExact($"2024-{day}", Date, CultureInfo.InvariantCulture, DateTimeStyles.None, out _)
            ? date => date.ToString(DayOfYear, CultureInfo.InvariantCulture) == day
            : null;
    }

    private static bool TryDate(string text, out DateOnly date) => DateOnly.TryParseExact(text, Date, CultureInfo.InvariantCulture, DateTimeStyles.None, out date);
}
