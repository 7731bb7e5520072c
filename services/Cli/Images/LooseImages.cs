using DmlPipeline.Cli.Dropping;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;

namespace DmlPipeline.Cli.Images;

/// <summary>Images of any origin, without asking for classes: files, folders of any shape, archives.</summary>
internal sealed class LooseImages : IDisposable
{
    private readonly List<ImageSource> archives = [];
    private readonly List<(string Name, string Class, Func<byte[]> Read)> images = [];

    public int Count => images.Count;

    /// <summary>Files of archives that were not taken, with reasons.</summary>
    public IEnumerable<Ingestion.QuarantinedFile> Refused => archives.SelectMany(archive => archive.Refused);

    public string Name(int index) => images[index].Name;

    /// <summary>The folder's name, or the class inside an archive.</summary>
    public string Class(int index) => images[index].Class;

    public byte[] Read(int index) => images[index].Read();

    public static async Task<LooseImages> Open(HomeOrNone homes, IEnumerable<string> paths, LiveLine live, CancellationToken cancel)
    {
        var loose = new LooseImages();
        try
        {
            foreach (var path in paths) await loose.Add(homes, path, live, cancel);
            if (loose.Count == 0) throw new CliException("There are no images (png, jpg, jpeg, webp) in what was given.");
            return loose;
        }
        catch
        {
            loose.Dispose();
            throw;
        }
    }

    public void Dispose() => archives.ForEach(archive => archive.Dispose());

    private async Task Add(HomeOrNone homes, string path, LiveLine live, CancellationToken cancel)
    {
        if (Directory.Exists(path))
        {
            var options = new EnumerationOptions { RecurseSubdirectories = true };
            foreach (var file in Directory.EnumerateFiles(path, "*", options).Where(DropPlan.IsImage).Order(StringComparer.Ordinal)) AddFile(file);
        }
        else if (!File.Exists(path)) throw new CliException($"There is no file or folder '{path}'.");
        else if (DropPlan.IsArchive(path))
        {
            var archive = await ImageSource.Open(homes, Path.GetFullPath(path), split: null, defaultSplit: "all", live, cancel);
            archives.Add(archive);
            for (var i = 0; i < archive.Count; i++)
            {
                var index = i;
                images.Add((archive.Name(i), archive.ClassOfImage[i], () => archive.Read(index)));
            }
        }
        else AddFile(path);
    }

    private void AddFile(string file) => images.Add((file, Path.GetFileName(Path.GetDirectoryName(Path.GetFullPath(file)))!, () => File.ReadAllBytes(file)));
}
