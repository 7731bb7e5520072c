using System.Diagnostics;
using System.Text.Json;
using DmlPipeline.Cli.Sample;
using DmlPipeline.Tests.Pipeline.Deployment;

namespace DmlPipeline.Tests.Pipeline;

/// <summary>infra/up and infra/demo --distributed: real servers, every service a process of its own, each as the user that it is.</summary>
public sealed class DistributedTests : IDisposable
{
    // PostgreSQL's user must be able to pass through, so not below a private temporary folder.
    private readonly string folder = Path.Combine("/var/tmp", $"dml-test-{Guid.NewGuid():N}"[..21]);
    private readonly TemporaryHome home = new();

    public void Dispose()
    {
        Script("down", "--wipe", folder);
        home.Dispose();
    }

    [Fact]
    public void A_drop_into_the_bucket_becomes_a_registered_model_across_processes_that_infra_up_started()
    {
        var glyphs = Path.Combine(home.Home.Path, "letters");
        GlyphSample.Write(glyphs, alphabets: 3, charactersPerAlphabet: 6, drawingsPerCharacter: 6, seed: 1, default);
        var recipe = Path.Combine(home.Home.Path, "tiny.json");
        File.WriteAllText(recipe, "{ \"epochs\": 2, \"image\": { \"size\": 28 } }");

        var (output, _) = Script("demo", glyphs, "--distributed", "--json", "--recipe", recipe, "--home", home.Home.Path);

        var result = JsonDocument.Parse(output[output.IndexOf('{', StringComparison.Ordinal)..]).RootElement;
        result.GetProperty("registered").GetBoolean().ShouldBeTrue();
        result.GetProperty("model").GetString().ShouldBe("letters");
        result.GetProperty("metrics").GetProperty("recall@1").GetDouble().ShouldBeInRange(0, 1);
        result.GetProperty("weights").GetString().ShouldNotBeNull().ShouldEndWith("/dml/models/letters/v1/model.safetensors");

        Metrics("ingestion").ShouldContain("dml_object_events_total{outcome=\"new\"}");
        var (again, said) = Script("up", folder);
        foreach (var name in new[] { "ingestion", "evaluation", "registry", "scheduling", "training-1", "training-2" }) said.ShouldContain($"{name} runs already");
        again.ShouldContain("/api/models");

        Script("down", folder);
        foreach (var line in Directory.GetFiles(Path.Combine(folder, "services"), "*.out").Where(file => new FileInfo(file).Length > 0).SelectMany(File.ReadLines))
            line.ShouldNotContain("permission denied");
        Directory.GetFiles(Path.Combine(folder, "services"), "*.pid").ShouldBeEmpty();
    }

    private string Metrics(string service)
    {
        using var client = new HttpClient();
        return client.GetStringAsync($"http://127.0.0.1:{File.ReadAllText(Path.Combine(folder, "services", $"{service}.port")).Trim()}/metrics").Result;
    }

    private (string Output, string Errors) Script(string name, params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(Manifests.Root, "infra", name), arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        (start.Environment["DML_SERVERS"], start.Environment["DML_REGISTRY_PORT"]) = (folder, "0");
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? (output, errors.Result) : throw new InvalidOperationException($"infra/{name} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{output}\n{errors.Result}");
    }
}
