using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Storage;

namespace DmlPipeline.Local;

/// <summary>The folder in which an embedded pipeline keeps all its state. Two pipelines with two homes never meet.</summary>
public sealed class PipelineHome(string path)
{
    public string Path { get; } = System.IO.Path.GetFullPath(path);

    public string StoreFolder => System.IO.Path.Combine(Path, "store");

    public string DatabaseFile => System.IO.Path.Combine(Path, "state.db");

    public string LogFile => System.IO.Path.Combine(Path, "pipeline.log");

    /// <summary>The rule of promotion; the defaults hold when there is no such file.</summary>
    public string GateFile => System.IO.Path.Combine(Path, "gate.yaml");

    /// <summary>Who may change the registry over HTTP; nobody when there is no such file.</summary>
    public string TokenFile => System.IO.Path.Combine(Path, "tokens");

    /// <summary>Scratch space of running trainings; what must last is copied to the store.</summary>
    public string WorkFolder => System.IO.Path.Combine(Path, "work");

    /// <summary>For files that last no longer than a job; emptied at each start.</summary>
    public string TemporaryFolder => System.IO.Path.Combine(Path, "temporary");

    private string LockFile => System.IO.Path.Combine(Path, "pipeline.lock");

    private string RunningFile => System.IO.Path.Combine(Path, "pipeline.json");

    public bool Exists => File.Exists(DatabaseFile);

    public FolderStore OpenStore() => new(StoreFolder);

    public Task<Database> OpenDatabase(CancellationToken cancel) => Database.Open(DatabaseFile, cancel);

    /// <summary>Takes the home for this process; dispose it to let go.</summary>
    /// <exception cref="InvalidOperationException">Another pipeline runs on this home.</exception>
    public FileStream Lock()
    {
        Directory.CreateDirectory(Path);
        try
        {
            return new FileStream(LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            var other = ReadRunning();
            throw new InvalidOperationException(
                $"A pipeline already runs on {Path}{(other is null ? "" : $" (process {other.ProcessId}, {other.Address})")}. Use it, stop it, or choose another folder with --home.", e);
        }
    }

    /// <summary>Keeps <c>dml up</c> from this home, which it would tidy up as if nobody worked on it, while any number of single services do.</summary>
    /// <exception cref="InvalidOperationException">A whole pipeline runs on this home.</exception>
    public FileStream Share()
    {
        Directory.CreateDirectory(Path);
        try
        {
            return new FileStream(LockFile, FileMode.OpenOrCreate, FileAccess.Read, FileShare.Read);
        }
        catch (IOException e)
        {
            throw new InvalidOperationException($"A whole pipeline runs on {Path}, in one process. Stop it, or choose another folder with --home.", e);
        }
    }

    /// <summary>The pipeline that runs on this home now, or null.</summary>
    public RunningPipeline? Running()
    {
        if (!File.Exists(LockFile)) return null;
        try
        {
            using var free = new FileStream(LockFile, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return null;
        }
        catch (IOException)
        {
            return ReadRunning();
        }
    }

    internal void WriteRunning(RunningPipeline running)
    {
        var partial = RunningFile + ".partial";
        File.WriteAllText(partial, JsonSerializer.Serialize(running, ContractJson.Indented));
        File.Move(partial, RunningFile, overwrite: true);
    }

    private RunningPipeline? ReadRunning()
    {
        try
        {
            return JsonSerializer.Deserialize<RunningPipeline>(File.ReadAllText(RunningFile), ContractJson.Compact);
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null;
        }
    }
}

/// <param name="ProcessId">Of the process that holds the home.</param>
/// <param name="Address">Of its HTTP interface, for example <c>http://127.0.0.1:5180</c>.</param>
/// <param name="StartedAt">When it was ready.</param>
public sealed record RunningPipeline(int ProcessId, string Address, DateTimeOffset StartedAt);
