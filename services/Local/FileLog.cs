using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Local;

/// <summary>
/// Appends log lines to one file. Started anew when it has grown beyond 16 MiB; the one before is kept. Lines that the disk has no room for are
/// lost and counted.
/// </summary>
public sealed class FileLog : ILoggerProvider
{
    private const long MaxBytes = 16 << 20;

    private readonly Lock writing = new();
    private readonly FileStream file;
    private long lost;

    public FileLog(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        if (File.Exists(path) && new FileInfo(path).Length > MaxBytes) File.Move(path, path + ".1", overwrite: true);
        // Without a buffer, which would keep what could not be written and stumble over it again.
        file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose() => file.Dispose();

    private void Write(LogLevel level, string category, string message, Exception? error)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"{DateTimeOffset.Now:yyyy-MM-dd HH:mm:ss.fff zzz} {level} {category}: {message}");
        lock (writing)
        {
            if (BestEffort.Tell(() => Append(line, error))) lost = 0;
            else lost++;
        }
    }

    private void Append(string line, Exception? error)
    {
        var text = lost == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"({lost} lines could not be written here)\n");
        file.Write(Encoding.UTF8.GetBytes($"{text}{line}\n{(error is null ? "" : $"{error}\n")}"));
    }

    private sealed class Logger(FileLog file, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            file.Write(logLevel, category, formatter(state, exception), exception);
    }
}
