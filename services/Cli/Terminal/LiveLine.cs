using System.Diagnostics;
using DmlPipeline.Local;

namespace DmlPipeline.Cli.Terminal;

/// <summary>One line at the bottom that is rewritten in place. Where there is no terminal, a line every few seconds instead. Thread-safe.</summary>
internal sealed class LiveLine(TextWriter writer, bool onTerminal)
{
    private static readonly TimeSpan BetweenUpdates = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan BetweenPlainLines = TimeSpan.FromSeconds(5);

    private readonly Lock writing = new();
    private readonly Stopwatch sinceLast = new();
    private bool shown;

    public void Update(string text)
    {
        lock (writing)
        {
            if (sinceLast.IsRunning && sinceLast.Elapsed < (onTerminal ? BetweenUpdates : BetweenPlainLines)) return;
            sinceLast.Restart();
            if (!onTerminal)
            {
                BestEffort.Tell(() => writer.WriteLine(text));
                return;
            }
            var width = Math.Max(20, Console.BufferWidth - 1);
            BestEffort.Tell(() => writer.Write($"\r{(text.Length > width ? text[..width] : text)}\u001b[K"));
            shown = true;
        }
    }

    /// <summary>A line that stays, above the live one.</summary>
    public void Keep(string text)
    {
        lock (writing)
        {
            Clear();
            BestEffort.Tell(() => writer.WriteLine(text));
        }
    }

    public void Clear()
    {
        lock (writing)
        {
            if (!shown) return;
            BestEffort.Tell(() => writer.Write("\r\u001b[K"));
            shown = false;
        }
    }
}
