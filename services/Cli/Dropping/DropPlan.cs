using System.Text;
using System.Text.RegularExpressions;

namespace DmlPipeline.Cli.Dropping;

/// <summary>A local file and its key below <c>inbox/&lt;dataset&gt;/</c>.</summary>
internal sealed record PlannedObject(string Source, string Key, long Bytes);

/// <summary>
/// Which files are dropped, and under which keys. A folder stands for what is in it, so that its sub-folders become classes; a folder of
/// nothing but images is itself a class; an archive stays one object.
/// </summary>
internal static partial class DropPlan
{
    private static readonly string[] Images = [".png", ".jpg", ".jpeg", ".webp"];
    private static readonly string[] Archives = [".zip", ".tar", ".tar.gz", ".tgz", ".tar.zst", ".tzst"];

    /// <exception cref="CliException">A path does not exist or is empty, or two files would have the same key.</exception>
    public static IReadOnlyList<PlannedObject> Make(IEnumerable<string> paths)
    {
        var plan = new Dictionary<string, PlannedObject>(StringComparer.Ordinal);
        foreach (var path in paths)
        {
            var before = plan.Count;
            foreach (var (source, key) in Expand(path))
            {
                var planned = new PlannedObject(source, key, new FileInfo(source).Length);
                if (!plan.TryAdd(key, planned) && plan[key].Source != source)
                    throw new CliException($"'{source}' and '{plan[key].Source}' would both become {key}: rename one, or drop them one after the other.");
            }
            if (plan.Count == before && Directory.Exists(path)) throw new CliException($"There are no files in {path}.");
        }
        return [.. plan.Values.OrderBy(planned => planned.Key, StringComparer.Ordinal)];
    }

    public static bool IsArchive(string path) => Array.Exists(Archives, end => path.EndsWith(end, StringComparison.OrdinalIgnoreCase));

    public static bool IsImage(string path) => Array.Exists(Images, end => path.EndsWith(end, StringComparison.OrdinalIgnoreCase));

    /// <summary>A dataset name made of a file or folder name.</summary>
    public static string DatasetNameFor(string path)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        foreach (var end in Archives.OrderByDescending(end => end.Length))
        {
            if (!name.EndsWith(end, StringComparison.OrdinalIgnoreCase)) continue;
            name = name[..^end.Length];
            break;
        }
        var clean = Unwanted().Replace(name.ToLowerInvariant(), "-").Trim('-', '.', '_');
        clean = clean.Length > 63 ? clean[..63].TrimEnd('-', '.', '_') : clean;
        return clean.Length > 0 ? clean : "images";
    }

    private static IEnumerable<(string Source, string Key)> Expand(string path)
    {
        if (File.Exists(path))
        {
            // An image alone belongs to the class that its folder names.
            var name = Clean(Path.GetFileName(path));
            var full = Path.GetFullPath(path);
            return [(full, IsImage(path) ? $"{Clean(Path.GetFileName(Path.GetDirectoryName(full)!))}/{name}" : name)];
        }
        if (!Directory.Exists(path)) throw new CliException($"There is no file or folder '{path}'.");
        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var prefix = IsClass(root) ? Clean(Path.GetFileName(root)) + "/" : "";
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden | FileAttributes.System };
        return Directory.EnumerateFiles(root, "*", options)
            .Select(file => (file, prefix + string.Join('/', Path.GetRelativePath(root, file).Split(Path.DirectorySeparatorChar).Select(Clean))));
    }

    private static bool IsClass(string folder)
    {
        var files = Directory.EnumerateFiles(folder).Where(file => !Path.GetFileName(file).StartsWith('.')).ToList();
        return files.Exists(IsImage) && !files.Exists(IsDescription) && !Directory.EnumerateDirectories(folder).Any();
    }

    private static bool IsDescription(string file) =>
        Path.GetExtension(file).ToLowerInvariant() is ".csv" or ".tsv" or ".jsonl" || Path.GetFileName(file) is "dataset.yaml" or "dataset.yml";

    /// <summary>One segment of a key: no control characters, and nothing that a key may not contain.</summary>
    private static string Clean(string segment)
    {
        var text = new StringBuilder(segment.Length);
        foreach (var rune in segment.Normalize(NormalizationForm.FormC).EnumerateRunes())
            text.Append(Rune.IsControl(rune) || rune.Value == '\\' ? new Rune('_') : rune);
        var clean = text.ToString().Trim();
        return clean is "" or "." or ".." ? "_" : clean;
    }

    [GeneratedRegex("[^a-z0-9._-]+", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Unwanted();
}
