using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion;
using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Ingestion;

public sealed class VersionTests : IDisposable
{
    private readonly DropSandbox sandbox = new();

    public void Dispose() => sandbox.Dispose();

    [Fact]
    public async Task A_later_version_shares_the_shards_of_its_parent_and_writes_only_what_is_new()
    {
        sandbox.PutClasses(6, 2);
        var first = await sandbox.BuildWell();
        sandbox.Put("class00/more.png", TestImages.Png(9001));
        sandbox.PutClasses(2, 2, "new", 60_000);

        var second = await sandbox.BuildWell(first.Manifest, "drop-2");

        second.Manifest.Parent.ShouldBe(1);
        second.Manifest.Counts.ShouldBe(new DatasetCounts(17, 5, 12, 0, 0));
        second.Manifest.Shards[0].ShouldBe(first.Manifest.Shards[0]);
        second.Manifest.Shards[1].Images.ShouldBe(5);
        foreach (var known in first.Manifest.Classes) second.Manifest.Classes.ShouldContain(c => c.Name == known.Name && c.Split == known.Split);
        using var reader = await DatasetReader.Open(sandbox.Store, DropSandbox.Dataset, 2, CancellationToken.None);
        for (var i = 0; i < reader.Samples.Count; i++)
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(reader.Read(i))).ShouldBe(reader.Samples[i].Sha256);
    }

    [Fact]
    public async Task A_drop_of_what_is_there_already_makes_no_version()
    {
        sandbox.PutClasses(4, 2);
        var first = await sandbox.BuildWell();

        (await sandbox.BuildBadly(first.Manifest, "drop-2")).Reason.ShouldBe("nothing new: all 8 images are already in version 1");
    }

    [Fact]
    public void What_a_build_puts_aside_has_no_name_that_its_death_could_leave_behind()
    {
        using var spool = new Spool(sandbox.Options.TemporaryFolder);
        using var shard = TemporaryFile.Create(sandbox.Options.TemporaryFolder);
        spool.Append([1, 2, 3]);

        Directory.GetFiles(sandbox.Options.TemporaryFolder).ShouldBeEmpty();
        spool.Read(1, 2).ShouldBe([2, 3]);
    }

    [Fact]
    public async Task Two_builds_of_the_same_drop_write_the_same_bytes()
    {
        PutMixedDrop();
        await sandbox.BuildWell();
        var first = await sandbox.Contents("datasets/");
        var quarantine = await sandbox.Contents("quarantine/");
        foreach (var key in first.Keys) await sandbox.Store.Delete(key, CancellationToken.None);

        sandbox.Options.Threads = 5;
        await sandbox.BuildWell();

        (await sandbox.Contents("datasets/")).ShouldBe(first);
        (await sandbox.Contents("quarantine/")).ShouldBe(quarantine);
        quarantine.ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    public async Task A_build_that_dies_on_its_way_and_is_repeated_ends_the_same(int writesBeforeDeath)
    {
        sandbox.Options.ShardBytes = 2000;
        PutMixedDrop();
        await sandbox.BuildWell();
        var expected = await sandbox.Contents("datasets/");
        foreach (var key in expected.Keys) await sandbox.Store.Delete(key, CancellationToken.None);

        await Should.ThrowAsync<IOException>(() => sandbox.Build(store: new DyingStore(sandbox.Store, writesBeforeDeath)));
        (await sandbox.Keys("datasets/")).ShouldNotContain("datasets/toys/v1/manifest.json");
        await sandbox.BuildWell();

        (await sandbox.Contents("datasets/")).ShouldBe(expected);
    }

    [Fact]
    public async Task What_an_abandoned_build_of_another_drop_left_is_removed()
    {
        sandbox.PutClasses(4, 2, "abandoned", 30_000);
        await Should.ThrowAsync<IOException>(() => sandbox.Build(store: new DyingStore(sandbox.Store, 2)));
        var left = await sandbox.Keys("datasets/");
        await sandbox.ClearInbox();
        sandbox.PutClasses(4, 2);

        var built = await sandbox.BuildWell(id: "drop-2");

        left.ShouldNotBeEmpty();
        (await sandbox.Keys("datasets/")).Order().ShouldBe([.. built.Manifest.Shards.Select(s => s.Key).Append(built.ManifestRef.Key).Append(built.Manifest.Samples.Key).Order()]);
    }

    [Fact]
    public async Task A_finished_build_that_is_asked_for_again_answers_the_same()
    {
        PutMixedDrop();
        var first = await sandbox.BuildWell();

        var again = await sandbox.BuildWell();

        again.ManifestRef.ShouldBe(first.ManifestRef);
        again.Quarantined.ShouldBe(first.Quarantined);
        JsonSerializer.Serialize(again.Manifest, ContractJson.Compact).ShouldBe(JsonSerializer.Serialize(first.Manifest, ContractJson.Compact));
    }

    [Fact]
    public async Task A_version_that_another_drop_made_is_not_overwritten()
    {
        sandbox.PutClasses(4, 2);
        await sandbox.BuildWell();

        await Should.ThrowAsync<VersionTakenException>(() => sandbox.Build(id: "drop-2"));
    }

    [Fact]
    public async Task Shards_are_plain_tars_of_pairs_of_image_and_class()
    {
        sandbox.Options.ShardBytes = 3000;
        sandbox.PutClasses(4, 4);

        var built = await sandbox.BuildWell();

        built.Manifest.Shards.Count.ShouldBeGreaterThan(1);
        built.Manifest.Shards.Sum(s => s.Images).ShouldBe(16);
        foreach (var shard in built.Manifest.Shards)
        {
            await using var stream = await sandbox.Store.OpenRead(shard.Key, CancellationToken.None);
            using var tar = new System.Formats.Tar.TarReader(stream);
            while (tar.GetNextEntry() is { } image)
            {
                var key = image.Name[..^4];
                var text = tar.GetNextEntry()!;
                text.Name.ShouldBe(key + ".cls");
                using var label = new StreamReader(text.DataStream!);
                (await label.ReadToEndAsync()).ShouldStartWith("class0");
                image.ModificationTime.ShouldBe(DateTimeOffset.UnixEpoch);
            }
        }
    }

    [Fact]
    public async Task Facts_tell_ink_on_paper_from_colour()
    {
        for (var c = 0; c < 4; c++)
            for (var i = 0; i < 3; i++) sandbox.Put($"ink{c}/{i}.png", TestImages.InkOnPaper(c * 10 + i));
        var ink = await sandbox.BuildWell();
        for (var i = 0; i < 60; i++) sandbox.Put($"colour/{i}.png", TestImages.Png(i, 32, channels: 3));

        var both = await sandbox.BuildWell(ink.Manifest, "drop-2");

        ink.Manifest.Facts.ShouldBe(new DatasetFacts(1, 16, 16, true));
        both.Manifest.Facts.GreyShare.ShouldBe(0.166667);
        both.Manifest.Facts.DarkOnLight.ShouldBeFalse();
    }

    [Fact]
    public async Task Near_duplicates_are_reported_and_kept()
    {
        sandbox.PutClasses(4, 2);
        // The same pixels in another file: equal look, other bytes.
        sandbox.Put("class01/again.png", [.. TestImages.Png(0), 0]);

        var built = await sandbox.BuildWell();

        built.Manifest.Counts.NearDuplicates.ShouldBe(1);
        var report = System.Text.Json.Nodes.JsonNode.Parse(await File.ReadAllTextAsync(await sandbox.Store.LocalFile(built.Manifest.NearDuplicates!.Key, CancellationToken.None)))!;
        ((bool)report["pairs"]![0]!["acrossClasses"]!).ShouldBeTrue();
        built.Manifest.Counts.Images.ShouldBe(9);
    }

    [Fact]
    public async Task What_a_grown_version_says_of_all_its_images_is_what_its_list_says_of_each()
    {
        sandbox.PutClasses(6, 2);
        var first = await sandbox.BuildWell();
        sandbox.PutClasses(3, 3, "large", 40_000);
        sandbox.Put("class00/wide.png", TestImages.Png(9001, 40));
        sandbox.Put("class03/again.png", [.. TestImages.Png(1000), 0]);

        var second = (await sandbox.BuildWell(first.Manifest, "drop-2")).Manifest;

        using var reader = await DatasetReader.Open(sandbox.Store, DropSandbox.Dataset, 2, CancellationToken.None);
        var lines = reader.Samples.Select(sample => $"{sample.Class}\t{sample.Sha256}\n").Order(StringComparer.Ordinal);
        second.ContentHash.ShouldBe(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(string.Concat(lines)))));
        second.Facts.MedianWidth.ShouldBe(reader.Samples.Select(sample => sample.Width).Order().ElementAt(reader.Samples.Count / 2));
        (await Text(second.Samples.Key)).ShouldStartWith(await Text(first.Manifest.Samples.Key));
        var pair = System.Text.Json.Nodes.JsonNode.Parse(await Text(second.NearDuplicates!.Key))!["pairs"]!.AsArray().ShouldHaveSingleItem()!;
        foreach (var image in new[] { pair["a"]!, pair["b"]! })
            reader.Samples.Select(sample => (sample.Sha256, sample.Class, sample.Name)).ShouldContain(((string)image["sha256"]!, (string)image["class"]!, (string)image["name"]!));
        new[] { (string)pair["a"]!["name"]!, (string)pair["b"]!["name"]! }.ShouldBe(["class01/00.png", "class03/again.png"], ignoreOrder: true);
    }

    private async Task<string> Text(string key) => await File.ReadAllTextAsync(await sandbox.Store.LocalFile(key, CancellationToken.None));

    [Theory]
    [InlineData("Birds")]
    [InlineData("../birds")]
    [InlineData("")]
    [InlineData("birds\n")]
    [InlineData(".birds")]
    public void Dataset_names_that_cannot_be_part_of_a_key_are_refused(string name) =>
        Should.Throw<ArgumentException>(() => DatasetName.Validate(name)).Message.ShouldContain("lower-case");

    private void PutMixedDrop()
    {
        sandbox.PutClasses(6, 3);
        sandbox.Put("class00/bad.png", "no image");
        sandbox.Put("class01/copy.png", TestImages.Png(0));
        sandbox.Put("lonely/1.png", TestImages.Png(8001));
        sandbox.Put("pack.zip", TestArchives.Zip([.. TestImages.Classes(2, 3, "zipped", 20_000), ("../evil.png", TestImages.Png(5))]));
        sandbox.Put("class02/again.png", [.. TestImages.Png(2000), 0]);
    }

    /// <summary>A store whose process dies after some writes below datasets/.</summary>
    private sealed class DyingStore(IArtifactStore inner, int writes) : IArtifactStore
    {
        private int left = writes;

        public IAsyncEnumerable<StoredObject> List(string prefix, CancellationToken cancel) => inner.List(prefix, cancel);

        public Task<StoredObject?> Find(string key, CancellationToken cancel) => inner.Find(key, cancel);

        public Task<Stream> OpenRead(string key, CancellationToken cancel) => inner.OpenRead(key, cancel);

        public Task<ArtifactRef> Put(string key, Stream content, CancellationToken cancel)
        {
            Count(key);
            return inner.Put(key, content, cancel);
        }

        public Task<ArtifactRef?> PutIfAbsent(string key, Stream content, CancellationToken cancel)
        {
            Count(key);
            return inner.PutIfAbsent(key, content, cancel);
        }

        public Task Delete(string key, CancellationToken cancel) => inner.Delete(key, cancel);

        public Task<string> LocalFile(string key, CancellationToken cancel) => inner.LocalFile(key, cancel);

        private void Count(string key)
        {
            if (key.StartsWith("datasets/", StringComparison.Ordinal) && --left < 0) throw new IOException("The process died here.");
        }
    }
}
