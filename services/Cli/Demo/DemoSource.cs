using System.Security.Cryptography;
using System.Text;
using DmlPipeline.Cli.Dropping;
using DmlPipeline.Cli.Sample;
using DmlPipeline.Cli.Terminal;

namespace DmlPipeline.Cli.Demo;

/// <summary>What a demo trains on: what the user gave, or generated characters.</summary>
/// <param name="Path">Folder or archive.</param>
/// <param name="IsSample">Whether it is generated.</param>
internal sealed record DemoSource(string Path, bool IsSample)
{
    public const string SampleName = "glyphs";

    // 144 classes of 20 drawings: enough that 36 unseen classes judge the model, little enough for two minutes on two cores.
    private const int Alphabets = 12, Characters = 12, Drawings = 20, Seed = 1;

    public static DemoSource Choose(string? given, string home)
    {
        if (given is null) return new DemoSource(System.IO.Path.Combine(home, "sample"), IsSample: true);
        if (!File.Exists(given) && !Directory.Exists(given)) throw new CliException($"There is no file or folder '{given}'. Without one, the demo generates its own images.");
        return new DemoSource(given, IsSample: false);
    }

    public string DatasetName => IsSample ? SampleName : DropPlan.DatasetNameFor(Path);

    /// <summary>Generates the sample unless it is there. Interrupted, it leaves nothing half done.</summary>
    public async Task Prepare(LiveLine live, CancellationToken cancel)
    {
        if (!IsSample || Directory.Exists(Path)) return;
        live.Keep($"generating {Show.Count(Alphabets * Characters * Drawings, "image")} of {Alphabets * Characters} made-up characters in {Alphabets} alphabets");
        var partial = Path + ".partial";
        if (Directory.Exists(partial)) Directory.Delete(partial, recursive: true);
        await Task.Run(() => GlyphSample.Write(partial, Alphabets, Characters, Drawings, Seed, cancel), cancel);
        Directory.Move(partial, Path);
    }

    /// <summary>Changes when any file's name, length or time does, or the settings; cheap even for many files.</summary>
    public static string Fingerprint(IEnumerable<PlannedObject> plan, string? settings)
    {
        var text = new StringBuilder(settings).Append('\n');
        foreach (var planned in plan) text.Append(planned.Key).Append('\t').Append(planned.Bytes).Append('\t').Append(File.GetLastWriteTimeUtc(planned.Source).Ticks).Append('\n');
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
