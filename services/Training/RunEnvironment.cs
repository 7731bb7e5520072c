using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using DmlPipeline.Torch;

namespace DmlPipeline.Training;

/// <summary>What a training's numbers depend on besides data, recipe and seed: the program, its packages, libtorch and the machine.</summary>
public static class RunEnvironment
{
    /// <summary>Of this process.</summary>
    /// <param name="threads">As the recipe has it; 0 stands for one per core.</param>
    /// <param name="device">What is trained on, such as <c>cpu</c> or <c>cuda:0</c>; which of several equal cards matters to nothing.</param>
    public static JsonObject Describe(int threads, string device) => new()
    {
        ["codeVersion"] = Assembly.GetExecutingAssembly().GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion,
        ["packagesSha256"] = PackagesSha256(),
        ["libtorch"] = TorchRuntime.Version,
        ["device"] = device.Split(':')[0],
        ["threadsUsed"] = threads == 0 ? Environment.ProcessorCount : threads,
        ["processor"] = Processor(),
        ["os"] = RuntimeInformation.OSDescription,
        ["dotnet"] = RuntimeInformation.FrameworkDescription,
    };

    /// <summary>SHA-256 over names, versions and hashes of the packages that this program was locked to when it was built; null when that list is not beside it.</summary>
    private static string? PackagesSha256()
    {
        var list = Directory.EnumerateFiles(AppContext.BaseDirectory, "*.deps.json").Order(StringComparer.Ordinal).FirstOrDefault();
        if (list is null || JsonNode.Parse(File.ReadAllText(list))?["libraries"] is not JsonObject libraries) return null;
        // The pipeline's own projects are what the code version names.
        var packages = libraries.Where(library => (string?)library.Value?["type"] == "package").Select(library => $"{library.Key} {library.Value!["sha512"]}").Order(StringComparer.Ordinal);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', packages))));
    }

    /// <summary>Libraries choose their instructions by it, and with them the order of additions.</summary>
    private static string Processor()
    {
        const string cpuInfo = "/proc/cpuinfo", key = "model name";
        var named = File.Exists(cpuInfo) ? File.ReadLines(cpuInfo).FirstOrDefault(line => line.StartsWith(key, StringComparison.Ordinal)) : null;
        return $"{RuntimeInformation.ProcessArchitecture}{(named is null ? "" : $" {named[(named.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim()}")}";
    }
}
