using DmlPipeline.Torch;

namespace DmlPipeline.Training.Processes;

/// <summary>The place of this process among those of several machines that train together. Rank 0 takes the jobs.</summary>
/// <param name="Place">Where they meet, once for each run.</param>
/// <param name="Rank">Of this process, from 0.</param>
/// <param name="Size">How many processes there are.</param>
public sealed record GroupMembership(MeetingPoint Place, int Rank, int Size);

/// <summary>How this process starts another that follows it on the same machine and reaches the same store.</summary>
/// <param name="CommandLine">Program and arguments; where to meet, rank and size come after them.</param>
public sealed record CompanionCommand(IReadOnlyList<string> CommandLine);
