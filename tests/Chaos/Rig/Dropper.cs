using System.IO.Compression;
using DmlPipeline.Cli.Sample;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Chaos.Rig;

/// <param name="Dataset">Its name.</param>
/// <param name="Version">Which drop of the dataset this is: the first makes version 1.</param>
/// <param name="Images">Images in it, all new.</param>
internal sealed record Dropped(string Dataset, int Version, int Images);

/// <summary>Puts small drops into the bucket: new datasets, and additions to those that are there.</summary>
internal sealed class Dropper(Pipeline pipeline, int drops, Random random)
{
    private const int Classes = 8, Drawings = 5;

    // Of each dataset, so that versions grow and champions meet challengers.
    private const int DropsPerDataset = 2;

    // More would only wait for the two workers.
    private const int MostUnderWay = 10;

    private readonly List<Dropped> done = [];

    public IReadOnlyList<Dropped> Done
    {
        get
        {
            lock (done) return [.. done];
        }
    }

    /// <param name="share">How much of the run is over, from 0 to 1: drops keep up with it, so that every fault finds something under way.</param>
    /// <param name="cancel">Ends it.</param>
    public async Task Run(Func<double> share, CancellationToken cancel)
    {
        for (var i = 0; i < drops; i++)
        {
            while (share() * drops < i - 2 || i - await Registered(cancel) >= MostUnderWay) await Task.Delay(200, cancel);
            var next = new Dropped($"glyphs-{(i / (2 * DropsPerDataset) * 2) + (i % 2):00}", 1 + (i / 2 % DropsPerDataset), Classes * Drawings);
            // Two drops that come to rest together are one, and a version that comes before the last was decided on is trained on for both:
            // the next drop begins when that is over.
            while (await Decided(next.Dataset, cancel) < next.Version - 1) await Task.Delay(200, cancel);
            await Drop(next, seed: i, asArchive: random.Next(3) > 0, cancel);
            lock (done) done.Add(next);
        }
    }

    /// <summary>Drops that have become models, or failed to.</summary>
    public Task<int> Registered(CancellationToken cancel) => pipeline.Patiently(database => database.QueryOne<int>(
        "select (select count(*) from runs where state in ('registered', 'failed')) + (select count(*) from drops where state = 'rejected')", null, cancel), cancel);

    /// <summary>Drops that have become versions.</summary>
    public Task<int> Prepared(CancellationToken cancel) => pipeline.Patiently(database => database.QueryOne<int>("select count(*) from dataset_versions", null, cancel), cancel);

    // One that is rejected counts as well, so that the run goes on and tells of it at the end.
    private Task<int> Decided(string dataset, CancellationToken cancel) => pipeline.Patiently(database => database.QueryOne<int>(
        """
        select (select count(*) from training_decisions where dataset = @dataset and state = 'decided')
            + (select count(*) from drops where dataset = @dataset and state = 'rejected')
        """, new { dataset }, cancel), cancel);

    private async Task Drop(Dropped next, int seed, bool asArchive, CancellationToken cancel)
    {
        var folder = Directory.CreateTempSubdirectory("dml-chaos-").FullName;
        try
        {
            // Each drop brings classes of its own.
            GlyphSample.Write(folder, alphabets: 1, Classes, Drawings, seed, cancel);
            Directory.Move(Path.Combine(folder, "Alphabet01"), Path.Combine(folder, "drop"));
            var classes = Directory.GetDirectories(Path.Combine(folder, "drop"));
            foreach (var each in classes) Directory.Move(each, Path.Combine(Path.GetDirectoryName(each)!, $"v{next.Version}-{Path.GetFileName(each)}"));
            var inbox = $"inbox/{next.Dataset}";
            if (asArchive)
            {
                var archive = Path.Combine(folder, "drop.zip");
                await ZipFile.CreateFromDirectoryAsync(Path.Combine(folder, "drop"), archive, cancel);
                await Put($"{inbox}/v{next.Version}.zip", archive, cancel);
                return;
            }
            // As `dml drop` does: nothing settles while files are still on their way, however long that takes.
            await using var hold = await pipeline.Patiently(database => InboxHold.Take(database, next.Dataset, cancel), cancel);
            foreach (var file in Directory.EnumerateFiles(Path.Combine(folder, "drop"), "*", SearchOption.AllDirectories))
                await Put($"{inbox}/{Path.GetRelativePath(Path.Combine(folder, "drop"), file)}", file, cancel);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private async Task Put(string key, string file, CancellationToken cancel)
    {
        await using var content = File.OpenRead(file);
        await pipeline.Store.Put(key, content, cancel);
    }
}
