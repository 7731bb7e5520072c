using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Contracts;
using DmlPipeline.Torch;

namespace DmlPipeline.Cli.Experiments;

/// <summary>
/// The folder of a benchmark or sweep, <c>&lt;home&gt;/benchmarks/NAME</c>: inputs.json says what it was begun with, and only the same inputs go on with it. One
/// process at a time works in it.
/// </summary>
internal sealed class ExperimentFolder : IDisposable
{
    public const string InputsFile = "inputs.json";

    private readonly FileStream working;

    private ExperimentFolder(string path, FileStream working) => (Path, this.working) = (path, working);

    public string Path { get; }

    public string Name => System.IO.Path.GetFileName(Path);

    /// <summary>Makes the folder, or opens it when it was begun with the same inputs.</summary>
    /// <param name="root">Where experiments of this kind lie.</param>
    /// <param name="name">The folder's name; null makes one of the inputs.</param>
    /// <param name="prefix">What a made name begins with.</param>
    /// <param name="inputs">Everything that decides the result.</param>
    /// <param name="planned">How many pieces of work there are to be; may grow from one call to the next.</param>
    public static ExperimentFolder Open(string root, string? name, string prefix, JsonObject inputs, int planned)
    {
        var text = inputs.ToJsonString(ContractJson.Compact);
        name ??= $"{prefix}-{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..6]}";
        if (!name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.') || name.StartsWith('.'))
            throw new CliException($"'{name}' is no name: use letters, digits, - and _.");
        var path = System.IO.Path.Combine(root, name);
        Directory.CreateDirectory(path);
        var held = Lock(path);
        try
        {
            var file = System.IO.Path.Combine(path, InputsFile);
            if (Read(path) is { } begun)
            {
                var before = begun["inputs"]!.AsObject();
                if (before.ToJsonString(ContractJson.Compact) != text)
                    throw new CliException($"{path} was begun with another {Difference(before, inputs)}. Choose another --name, or delete the folder to begin anew.");
                begun["planned"] = planned;
                Write(file, begun);
            }
            else Write(file, new JsonObject { ["inputs"] = inputs.DeepClone(), ["planned"] = planned, ["environment"] = Environment() });
            return new ExperimentFolder(path, held);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>What a folder was begun with; null when nothing was.</summary>
    public static JsonObject? Read(string path)
    {
        var file = System.IO.Path.Combine(path, InputsFile);
        return File.Exists(file) ? JsonNode.Parse(File.ReadAllText(file))!.AsObject() : null;
    }

    /// <summary>Experiments of a kind, by name.</summary>
    public static IReadOnlyList<string> List(string root) =>
        Directory.Exists(root) ? [.. Directory.EnumerateDirectories(root).Where(path => File.Exists(System.IO.Path.Combine(path, InputsFile))).Order(StringComparer.Ordinal)] : [];

    /// <summary>Writes a file so that it is there whole or not at all.</summary>
    public static void Write(string file, JsonNode document)
    {
        File.WriteAllText(file + ".partial", document.ToJsonString(ContractJson.Indented));
        File.Move(file + ".partial", file, overwrite: true);
    }

    public void Dispose() => working.Dispose();

    private static FileStream Lock(string path)
    {
        try
        {
            return new FileStream(System.IO.Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e)
        {
            throw new CliException($"Another process works on {path} at this moment.", e);
        }
    }

    private static string Difference(JsonObject before, JsonObject now) =>
        string.Join(", ", now.Select(entry => entry.Key).Where(key => before[key]?.ToJsonString() != now[key]?.ToJsonString()).DefaultIfEmpty("set of inputs"));

    private static JsonObject Environment() => new()
    {
        ["codeVersion"] = Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion,
        ["libtorch"] = TorchRuntime.Version,
        ["device"] = TorchSharp.torch.cuda.is_available() ? "cuda" : "cpu",
        ["cores"] = System.Environment.ProcessorCount,
        ["begunAt"] = JsonSerializer.SerializeToNode(DateTimeOffset.UtcNow, ContractJson.Compact),
    };
}
