namespace DmlPipeline.Cli;

/// <summary>Something that the user can put right; the message says what happened and how.</summary>
internal sealed class CliException(string message, Exception? inner = null) : Exception(message, inner);
