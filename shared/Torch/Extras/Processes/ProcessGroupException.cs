namespace DmlPipeline.Torch;

/// <summary>The processes of a group have lost each other: one has ended, or did not answer in time. Nothing can be done with the group any more.</summary>
public sealed class ProcessGroupException(string message, Exception? inner = null) : Exception(message, inner);
