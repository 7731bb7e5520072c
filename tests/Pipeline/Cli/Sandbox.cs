using System.Text.Json.Nodes;
using DmlPipeline.Cli;
using DmlPipeline.Local;

namespace DmlPipeline.Tests.Pipeline.Cli;

/// <summary>A folder for one test, and the command line run in this process on a home inside it.</summary>
public sealed class Sandbox : IDisposable
{
    public Sandbox() => Directory.CreateDirectory(Folder);

    public string Folder { get; } = Path.Combine(Path.GetTempPath(), "dml-cli-" + Guid.NewGuid().ToString("N")[..8]);

    public PipelineHome Home => new(Path.Combine(Folder, "home"));

    public sealed record Result(int Code, string Output, string Error)
    {
        public JsonNode Json => JsonNode.Parse(Output)!;
    }

    public Task<Result> Dml(params string[] arguments) => DmlWithout([.. arguments, "--home", Home.Path]);

    /// <summary>Without naming the home.</summary>
    public static async Task<Result> DmlWithout(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await CommandLine.Run(arguments, output, error, CancellationToken.None);
        return new Result(code, output.ToString(), error.ToString());
    }

    /// <summary>Writes files whose content is their own name; returns the full path of <paramref name="folder"/>.</summary>
    public string Write(string folder, params string[] files)
    {
        var root = Path.Combine(Folder, folder);
        Directory.CreateDirectory(root);
        foreach (var file in files)
        {
            var path = Path.Combine(root, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, file);
        }
        return root;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
