using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion;
using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Ingestion;

public sealed class DropFormTests : IDisposable
{
    private readonly DropSandbox sandbox = new();

    public void Dispose() => sandbox.Dispose();

    [Fact]
    public async Task Class_folders_become_a_version_whose_images_can_be_read_back()
    {
        sandbox.PutClasses(4, 3);
        sandbox.Put("_READY", "");

        var built = await sandbox.BuildWell();

        built.Manifest.Counts.ShouldBe(new DatasetCounts(12, 12, 0, 0, 0));
        built.Manifest.Classes.Select(c => c.Name).ShouldBe(["class00", "class01", "class02", "class03"]);
        using var reader = await DatasetReader.Open(sandbox.Store, DropSandbox.Dataset, 1, CancellationToken.None);
        var expected = TestImages.Classes(4, 3).Select(i => (i.Path.Split('/')[0], Convert.ToHexString(i.Bytes))).Order();
        Enumerable.Range(0, 12).Select(i => (reader.Samples[i].Class, Convert.ToHexString(reader.Read(i)))).Order().ShouldBe(expected);
    }

    [Theory]
    [InlineData("pack.zip")]
    [InlineData("pack.tar")]
    [InlineData("pack.tar.gz")]
    [InlineData("pack.tgz")]
    [InlineData("pack.tar.zst")]
    public async Task Every_kind_of_archive_gives_the_same_content(string name)
    {
        var members = TestImages.Classes(4, 3).ToList();
        sandbox.Put(name, Pack(name, members));

        var built = await sandbox.BuildWell();

        using var folders = new DropSandbox();
        folders.PutClasses(4, 3);
        built.Quarantined.ShouldBeEmpty();
        built.Manifest.ContentHash.ShouldBe((await folders.BuildWell()).Manifest.ContentHash);
        built.Manifest.Shards.Select(s => s.Sha256).ShouldBe((await folders.BuildWell()).Manifest.Shards.Select(s => s.Sha256));
    }

    [Fact]
    public async Task Deep_folders_are_classes_by_their_whole_path()
    {
        foreach (var (path, bytes) in TestImages.Classes(4, 2)) sandbox.Put("animals/wild/" + path, bytes);

        var built = await sandbox.BuildWell();

        built.Manifest.Classes.ShouldAllBe(c => c.Name.StartsWith("animals/wild/class", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("images/")]
    [InlineData("data/images/")]
    public async Task A_folder_that_only_wraps_an_archive_is_no_part_of_class_names(string wrapper)
    {
        sandbox.Put("pack.zip", TestArchives.Zip(TestImages.Classes(4, 2).Select(i => (wrapper + i.Path, i.Bytes))));

        var built = await sandbox.BuildWell();

        built.Manifest.Classes.Select(c => c.Name).ShouldBe(["class00", "class01", "class02", "class03"]);
    }

    [Fact]
    public async Task A_first_folder_that_the_dataset_knows_is_not_taken_for_a_wrapper()
    {
        sandbox.Put("one.zip", TestArchives.Zip(TestImages.Classes(4, 2, "Greek/").Concat(TestImages.Classes(4, 2, "Latin/", 50_000))));
        var first = await sandbox.BuildWell();
        await sandbox.ClearInbox();
        sandbox.Put("two.zip", TestArchives.Zip(TestImages.Classes(4, 2, "Korean/", 100_000)));

        var second = await sandbox.BuildWell(first.Manifest, "drop-2");

        second.Manifest.Classes.Count(c => c.Name.StartsWith("Korean/", StringComparison.Ordinal)).ShouldBe(4);
    }

    [Theory]
    [InlineData("labels.csv", "path,label\n", ",")]
    [InlineData("labels.csv", "Label;Path\n", ";")]
    [InlineData("labels.tsv", "\uFEFFpath\tlabel\n", "\t")]
    public async Task A_csv_names_path_and_label(string file, string header, string separator)
    {
        var rows = new List<string>();
        foreach (var (path, bytes) in TestImages.Classes(4, 2))
        {
            sandbox.Put("pictures/" + path.Replace('/', '-'), bytes);
            var (name, label) = ($"pictures/{path.Replace('/', '-')}", "kind " + path[..7]);
            rows.Add(header.StartsWith("Label", StringComparison.Ordinal) ? $"\"{label}\"{separator}{name}" : $"{name}{separator}{label}");
        }
        sandbox.Put(file, header + string.Join("\r\n", rows));

        var built = await sandbox.BuildWell();

        built.Quarantined.ShouldBeEmpty();
        built.Manifest.Classes.Select(c => c.Name).ShouldBe(["kind class00", "kind class01", "kind class02", "kind class03"]);
    }

    [Fact]
    public async Task Json_lines_inside_an_archive_label_files_relative_to_themselves_and_may_ask_for_splits()
    {
        var members = TestImages.Classes(6, 2).Select(i => ("set/files/" + i.Path.Replace('/', '_'), i.Bytes)).ToList();
        var lines = TestImages.Classes(6, 2).Select(i =>
            $$"""{"path": "./files/{{i.Path.Replace('/', '_')}}", "label": "{{i.Path[..7]}}", "split": "{{(i.Path[6] < '2' ? "test" : i.Path[6] < '4' ? "val" : "train")}}"}""");
        // The label file comes last, as it may in a stream.
        members.Add(("set/labels.jsonl", System.Text.Encoding.UTF8.GetBytes(string.Join('\n', lines))));
        sandbox.Put("pack.tar.gz", TestArchives.Gzip(TestArchives.Tar(members)));

        var built = await sandbox.BuildWell();

        built.Manifest.Classes.Select(c => (c.Name, c.Split)).ShouldBe([
            ("class00", "test"), ("class01", "test"), ("class02", "validation"), ("class03", "validation"), ("class04", "train"), ("class05", "train")]);
    }

    [Fact]
    public async Task Forms_may_be_mixed_in_one_drop()
    {
        sandbox.PutClasses(2, 2, "folder");
        sandbox.Put("pack.zip", TestArchives.Zip(TestImages.Classes(2, 2, "zipped", 20_000)));
        sandbox.Put("pack.tar", TestArchives.Tar(TestImages.Classes(2, 2, "tarred", 40_000)));
        sandbox.Put("loose/a.png", TestImages.Png(90_001));
        sandbox.Put("loose/b.png", TestImages.Png(90_002));
        sandbox.Put("labels.csv", "path,label\nloose/a.png,listed\nloose/b.png,listed\n");

        var built = await sandbox.BuildWell();

        built.Manifest.Classes.Select(c => c.Name).ShouldBe(["folder00", "folder01", "listed", "tarred00", "tarred01", "zipped00", "zipped01"]);
    }

    [Fact]
    public async Task Jpeg_and_webp_are_taken_as_well_as_png()
    {
        sandbox.PutClasses(4, 2);
        sandbox.Put("class00/a.jpg", TestImages.Jpeg());
        sandbox.Put("class00/b.webp", Imaging.Fixtures.Bytes("lossy.webp"));
        sandbox.Put("class01/no-extension", TestImages.Png(77_000));

        var built = await sandbox.BuildWell();

        using var reader = await DatasetReader.Open(sandbox.Store, DropSandbox.Dataset, 1, CancellationToken.None);
        reader.Samples.CountBy(s => s.Format).ToDictionary().ShouldBe(new Dictionary<string, int> { ["png"] = 9, ["jpeg"] = 1, ["webp"] = 1 }, ignoreOrder: true);
        built.Quarantined.ShouldBeEmpty();
    }

    [Fact]
    public async Task Files_that_merely_come_with_datasets_are_counted_and_left()
    {
        sandbox.PutClasses(4, 2);
        foreach (var name in new[] { ".DS_Store", "class00/Thumbs.db", "README.md", "LICENSE", "class01/notes.txt", "class02/._00.png" }) sandbox.Put(name, "x");
        sandbox.Put("pack.zip", TestArchives.Zip([.. TestImages.Classes(1, 2, "zipped", 5000), ("__MACOSX/zipped00/._00.png", new byte[3])]));

        var built = await sandbox.BuildWell();

        built.Counts.Ignored.ShouldBe(7);
        built.Quarantined.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_local_folder_or_archive_is_read_with_the_same_defences()
    {
        foreach (var (path, bytes) in TestImages.Classes(3, 2))
        {
            var file = Path.Combine(sandbox.Root, "local", path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllBytesAsync(file, bytes);
        }
        await File.WriteAllTextAsync(Path.Combine(sandbox.Root, "local", "class00", "text.png"), "no image");
        var archive = Path.Combine(sandbox.Root, "local.zip");
        await File.WriteAllBytesAsync(archive, TestArchives.Zip([.. TestImages.Classes(3, 2), ("../class00/evil.png", TestImages.Png(9))]));

        foreach (var path in new[] { Path.Combine(sandbox.Root, "local"), archive })
        {
            using var images = await DropReader.ReadLocal(path, sandbox.Options, CancellationToken.None);

            images.ClassOfImage.Distinct().Order().ShouldBe(["class00", "class01", "class02"]);
            images.Count.ShouldBe(6);
            images.Refused.Count.ShouldBe(1);
            images.Read(0).ShouldBe(TestImages.Png(0));
        }
    }

    internal static byte[] Pack(string name, IReadOnlyList<(string Path, byte[] Bytes)> members)
    {
        if (name.EndsWith(".zip", StringComparison.Ordinal)) return TestArchives.Zip(members);
        var tar = TestArchives.Tar(members);
        if (name.EndsWith(".zst", StringComparison.Ordinal)) return TestArchives.Zstd(tar);
        return name.EndsWith(".tar", StringComparison.Ordinal) ? tar : TestArchives.Gzip(tar);
    }
}
