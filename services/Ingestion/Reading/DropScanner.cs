using System.Threading.Channels;
using DmlPipeline.Ingestion.Archives;
using DmlPipeline.Ingestion.Layouts;
using DmlPipeline.Storage;

namespace DmlPipeline.Ingestion.Reading;

/// <summary>
/// Reads a whole drop once: one task walks objects and archives, several check images. The channel between them is short, so at most
/// a few images per thread are in memory; sound ones wait in the spool, and what is known of each in tables.
/// </summary>
internal sealed class DropScanner
{
    private const int ReportEvery = 500;

    // Annotations wait in memory. Published ones have 10 MiB at most; more of that name than this is left alone.
    private const long MaxAnnotationBytes = 128L << 20;
    private const int MaxAnnotations = 64;

    private readonly IArtifactStore store;
    private readonly IngestionOptions options;
    private readonly Spool spool;
    private readonly ParentVersion? parent;
    private readonly RefusalTable refusals;
    private readonly Action<IngestionProgress>? progress;
    private readonly Channel<Job> jobs;
    private readonly FileTable scanned;
    private readonly List<TextFile> labelFiles = [];
    private readonly List<TextFile> annotations = [];
    private readonly List<TextFile> settings = [];
    private readonly List<string> scopes = [""];
    private readonly UnpackBudget budget;
    private long annotationBytes;
    private int order;
    private int files;
    private int ignored;
    private int done;
    private int broken;

    /// <param name="scratch">Where the files are listed.</param>
    /// <param name="parent">Has images that need no second look; or null.</param>
    /// <param name="refusals">Receives what cannot be read. What can and is no image is among the files, with the reason.</param>
    public DropScanner(
        IArtifactStore store, IngestionOptions options, Spool spool, ScratchDatabase scratch, ParentVersion? parent, RefusalTable refusals, Action<IngestionProgress>? progress)
    {
        (this.store, this.options, this.spool, this.parent, this.refusals, this.progress) = (store, options, spool, parent, refusals, progress);
        jobs = Channel.CreateBounded<Job>(new BoundedChannelOptions(options.Threads) { SingleWriter = true });
        scanned = new FileTable(scratch, scopes);
        budget = new UnpackBudget(options);
    }

    // Bytes of an archive's member, or an object that the checking thread fetches itself.
    private readonly record struct Job(int Order, int Scope, string Path, byte[]? Bytes, StoredObject? Object);

    public async Task<DropScan> Scan(DropObjects objects, CancellationToken cancel)
    {
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var tasks = Enumerable.Range(0, options.Threads).Select(_ => Guarded(Check)).Append(Guarded(token => Walk(objects, token))).ToArray();
        await Task.WhenAll(tasks);
        progress?.Invoke(new IngestionProgress("reading", done, refusals.Count + broken));
        return new DropScan(scopes, scanned, labelFiles, annotations, settings, files, ignored);

        // The first failure stops the others, else the walk would wait for room in the channel for ever.
        Task Guarded(Func<CancellationToken, Task> work) => Task.Run(
            async () =>
            {
                try
                {
                    await work(linked.Token);
                }
                catch
                {
                    await linked.CancelAsync();
                    throw;
                }
            },
            cancel);
    }

    private async Task Walk(DropObjects objects, CancellationToken cancel)
    {
        try
        {
            foreach (var (rawPath, stored) in objects.InOrder())
            {
                budget.CountFile();
                var sink = new Sink(this, scope: 0);
                if (EntryPath.Parse(rawPath, out var path) is null && ArchiveKinds.OfName(path) is { } kind && !EntryPath.IsIgnored(path))
                {
                    if (path.Contains('/', StringComparison.Ordinal))
                        sink.Refuse(rawPath, "an archive inside a class folder is not opened: put it directly under the dataset's name", stored.Bytes);
                    else
                    {
                        scopes.Add(path);
                        await ArchiveReader.Read(store, stored, kind, new Sink(this, scopes.Count - 1), budget, options, cancel);
                    }
                }
                else if (sink.Wants(rawPath, out path)) await sink.Accept(path, stored, cancel);
            }
        }
        catch (ArchiveLimitException e)
        {
            refusals.Add(new Refusal(order++, "(the rest of the drop)", e.Message));
        }
        finally
        {
            jobs.Writer.Complete();
        }
    }

    private async Task Check(CancellationToken cancel)
    {
        await foreach (var job in jobs.Reader.ReadAllAsync(cancel))
        {
            var bytes = job.Bytes;
            if (job.Object is { } stored)
            {
                (bytes, var refusal) = await Fetch(stored, cancel);
                if (refusal is not null) refusals.Add(new Refusal(job.Order, EntryPath.Display(job.Path), refusal, Bytes: stored.Bytes));
            }
            if (bytes is not null)
            {
                var content = Examine(bytes);
                if (content.Refusal is not null) Interlocked.Increment(ref broken);
                scanned.Add(job.Order, job.Scope, job.Path, content);
            }
            if (Interlocked.Increment(ref done) % ReportEvery == 0) progress?.Invoke(new IngestionProgress("reading", done, refusals.Count + broken));
        }
    }

    private FileContent Examine(byte[] bytes)
    {
        var digest = Digest.Of(bytes);
        if (parent?.ClassOf(digest) is not null) return new FileContent { Digest = digest, Bytes = bytes.Length };
        var (facts, refusal) = ImageCheck.Run(bytes, options);
        var keep = facts is not null || bytes.Length <= options.QuarantineFileBytes;
        return new FileContent
        {
            Digest = digest, Bytes = bytes.Length, Facts = facts, Refusal = refusal, SpoolOffset = keep ? spool.Append(bytes) : -1,
        };
    }

    private async Task<(byte[]? Bytes, string? Refusal)> Fetch(StoredObject stored, CancellationToken cancel)
    {
        if (stored.Bytes > options.MaxFileBytes) return (null, BoundedReader.TooLarge(options.MaxFileBytes));
        try
        {
            await using var stream = await store.OpenRead(stored.Key, cancel);
            var bytes = await BoundedReader.Read(stream, stored.Bytes, options.MaxFileBytes, _ => { }, cancel);
            return (bytes, bytes is null ? BoundedReader.TooLarge(options.MaxFileBytes) : null);
        }
        catch (FileNotFoundException)
        {
            return (null, "it vanished while the drop was read: drop it again");
        }
    }

    private sealed class Sink(DropScanner owner, int scope) : ArchiveSink
    {
        private bool InArchive => scope > 0;

        public override bool Wants(string rawName, out string path)
        {
            owner.files++;
            if (EntryPath.Parse(rawName, out path) is { } refusal) Refuse(rawName, refusal, null);
            else if (IsText(path)) return true;
            else if (EntryPath.IsIgnored(path)) owner.ignored++;
            else if (ArchiveKinds.OfName(path) is not null)
                Refuse(rawName, "an archive inside an archive is not opened: unpack it first, or drop it by itself", null);
            else if (ArchiveKinds.IsUnsupported(path))
                Refuse(rawName, "archives of this kind are not read: drop zip, tar, tar.gz or tar.zst", null);
            else return true;
            return false;
        }

        public override async ValueTask Accept(string path, byte[] bytes, CancellationToken cancel)
        {
            if (EntryPath.IsSettings(path, InArchive)) owner.settings.Add(new TextFile(owner.order++, scope, path, bytes));
            else if (EntryPath.IsLabelFile(path)) owner.labelFiles.Add(new TextFile(owner.order++, scope, path, bytes));
            else if (EntryPath.IsAnnotation(path)) AcceptAnnotation(path, bytes);
            else await owner.jobs.Writer.WriteAsync(new Job(owner.order++, scope, path, bytes, null), cancel);
        }

        public async ValueTask Accept(string path, StoredObject stored, CancellationToken cancel)
        {
            if (!IsText(path))
            {
                await owner.jobs.Writer.WriteAsync(new Job(owner.order++, scope, path, null, stored), cancel);
                return;
            }
            var (bytes, refusal) = await owner.Fetch(stored, cancel);
            if (bytes is null) Refuse(path, refusal!, stored.Bytes);
            else await Accept(path, bytes, cancel);
        }

        private bool IsText(string path) =>
            EntryPath.IsSettings(path, InArchive) || EntryPath.IsLabelFile(path) && !EntryPath.IsIgnored(path) || EntryPath.IsAnnotation(path);

        private void AcceptAnnotation(string path, byte[] bytes)
        {
            if (owner.annotations.Count >= MaxAnnotations || owner.annotationBytes + bytes.Length > MaxAnnotationBytes)
            {
                owner.ignored++;
                return;
            }
            owner.annotationBytes += bytes.Length;
            owner.annotations.Add(new TextFile(owner.order++, scope, path, bytes));
        }

        public override void Refuse(string rawName, string reason, long? bytes) =>
            owner.refusals.Add(new Refusal(owner.order++, EntryPath.Display(InArchive ? $"{owner.scopes[scope]}/{rawName}" : rawName), reason, Bytes: bytes));

        public override void RefuseRest(string reason) =>
            owner.refusals.Add(new Refusal(owner.order++, EntryPath.Display(owner.scopes[scope]), reason));
    }
}
