using System.Globalization;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Local;

/// <summary>What happens, for whoever watches the pipeline: one short line each on stderr; the home's pipeline.log has all of it.</summary>
public sealed class TerminalLog : ILoggerProvider
{
    public ILogger CreateLogger(string categoryName) => new Logger(ServiceOf(categoryName));

    public void Dispose()
    {
    }

    /// <summary>"DmlPipeline.Ingestion.DropSettler" happens in "ingestion".</summary>
    private static string ServiceOf(string category)
    {
        var parts = category.Split('.');
        return (parts is ["DmlPipeline", var service, ..] ? service : parts[0]).ToLowerInvariant();
    }

    private sealed class Logger(string service) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is >= LogLevel.Information and not LogLevel.None;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (!IsEnabled(logLevel)) return;
            var severity = logLevel switch { LogLevel.Information => "", LogLevel.Warning => "warning: ", _ => "error: " };
            var cause = exception is null ? "" : $": {exception.Message}";
            // Control characters in a name of a dropped file must not reach the terminal.
            var text = string.Concat((formatter(state, exception) + cause).Select(c => char.IsControl(c) ? ' ' : c));
            BestEffort.Tell(() => Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{DateTime.Now:HH:mm:ss} {service,-10} {severity}{text}")));
        }
    }
}
