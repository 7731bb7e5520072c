using System.Formats.Tar;
using System.Text;
using System.Text.Json.Nodes;
using DmlPipeline.Ingestion;

namespace DmlPipeline.Tests.Services.Ingestion;

/// <summary>Every bad thing alone makes no version; among good ones it goes to quarantine with its reason and the rest goes on.</summary>
public sealed class BadDropTests : IDisposable
{
    private readonly DropSandbox sandbox = new();

    public void Dispose() => sandbox.Dispose();

    public static TheoryData<string, string> BadFiles => new()
    {
        { "truncated.jpg", "" },
        { "text.png", "" },
        { "huge.png", "100000x100000" },
        { "empty.png", "0 bytes" },
        { "tiny.png", "4x4" },
        { "inner.zip", "archive" },
        { "renamed-archive.png", "archive" },
        { "drawing.7z", "zip, tar" },
    };

    [Theory]
    [MemberData(nameof(BadFiles))]
    public async Task A_bad_file_alone_is_rejected(string name, string reason)
    {
        sandbox.Put("bad/" + name, Bad(name));

        var rejected = await sandbox.BuildBadly();

        rejected.Reason.ShouldStartWith("no usable image");
        rejected.Quarantined.ShouldHaveSingleItem().Reason.ShouldContain(reason);
    }

    [Theory]
    [MemberData(nameof(BadFiles))]
    public async Task A_bad_file_among_good_ones_is_quarantined(string name, string reason)
    {
        sandbox.PutClasses(4, 2);
        sandbox.Put("class00/" + name, Bad(name));

        var built = await sandbox.BuildWell();

        built.Manifest.Counts.Images.ShouldBe(8);
        var refused = built.Quarantined.ShouldHaveSingleItem();
        refused.Name.ShouldBe("class00/" + name);
        refused.Reason.ShouldContain(reason);
    }

    [Theory]
    [MemberData(nameof(BadFiles))]
    public async Task A_bad_file_inside_an_archive_is_quarantined(string name, string reason)
    {
        foreach (var pack in new[] { "pack.zip", "pack.tar" })
        {
            await sandbox.ClearInbox();
            sandbox.Put(pack, DropFormTests.Pack(pack, [("class00/" + name, Bad(name)), .. TestImages.Classes(4, 2)]));

            var built = await sandbox.BuildWell(id: pack);
            built.Manifest.Counts.Images.ShouldBe(8);
            built.Quarantined.ShouldHaveSingleItem().Reason.ShouldContain(reason);
            await sandbox.Store.Delete(built.ManifestRef.Key, CancellationToken.None);
        }
    }

    [Fact]
    public async Task What_was_refused_is_kept_with_its_reason()
    {
        sandbox.PutClasses(4, 2);
        sandbox.Put("class00/bad.png", "no image");

        var built = await sandbox.BuildWell();

        var refused = built.Quarantined.ShouldHaveSingleItem();
        refused.Key.ShouldBe("quarantine/toys/drop-1/files/1");
        (await File.ReadAllTextAsync(await sandbox.Store.LocalFile(refused.Key!, CancellationToken.None))).ShouldBe("no image");
        var json = JsonNode.Parse(await File.ReadAllTextAsync(await sandbox.Store.LocalFile(built.Quarantine!.Key, CancellationToken.None)))!;
        built.Quarantine.Key.ShouldBe("quarantine/toys/drop-1/reason.json");
        ((string)json["files"]![0]!["class"]!).ShouldBe("class00");
        ((string)json["files"]![0]!["reason"]!).ShouldBe(refused.Reason);
        built.Manifest.Quarantine.ShouldBe(built.Quarantine);
    }

    [Theory]
    [InlineData("../../escape/0.png", "climbs out")]
    [InlineData("..\\..\\escape\\0.png", "climbs out")]
    [InlineData("class00/../../0.png", "climbs out")]
    [InlineData("/etc/class/0.png", "absolute")]
    [InlineData("C:\\class\\0.png", "absolute")]
    [InlineData("class00/0.png\0.exe", "NUL")]
    public async Task Members_with_tricky_names_are_refused_and_written_nowhere(string name, string reason)
    {
        var evil = TestImages.Png(999_999);
        sandbox.Put("pack.zip", TestArchives.Zip([(name, evil), .. TestImages.Classes(4, 2)]));
        var before = Directory.GetFiles(sandbox.Root, "*", SearchOption.AllDirectories).Length;

        var built = await sandbox.BuildWell();

        built.Quarantined.ShouldHaveSingleItem().Reason.ShouldContain(reason);
        built.Manifest.Counts.Images.ShouldBe(8);
        // manifest, samples, one shard, reason.json: nothing else, and nothing outside the store.
        Directory.GetFiles(sandbox.Root, "*", SearchOption.AllDirectories).Length.ShouldBe(before + 4);
    }

    [Fact]
    public async Task Links_and_devices_in_a_tar_are_refused()
    {
        var entries = TestImages.Classes(4, 2).Select(i => (TarEntry)new PaxTarEntry(TarEntryType.RegularFile, i.Path) { DataStream = new MemoryStream(i.Bytes) });
        sandbox.Put("pack.tar", TestArchives.Tar([
            new PaxTarEntry(TarEntryType.SymbolicLink, "class00/link.png") { LinkName = "/etc/passwd" },
            new PaxTarEntry(TarEntryType.HardLink, "class00/hard.png") { LinkName = "class00/00.png" },
            new PaxTarEntry(TarEntryType.CharacterDevice, "class00/zero.png") { DeviceMajor = 1, DeviceMinor = 5 },
            new PaxTarEntry(TarEntryType.Fifo, "class00/pipe.png"),
            .. entries]));

        var built = await sandbox.BuildWell();

        built.Quarantined.Select(q => q.Reason.Split(';')[0]).ShouldBe(["it is a symbolic link", "it is a hard link", "it is a device", "it is a named pipe"]);
        built.Manifest.Counts.Images.ShouldBe(8);
    }

    [Fact]
    public async Task A_link_in_a_zip_and_an_encrypted_member_are_refused()
    {
        var zip = TestArchives.Zip([("class00/link.png", Encoding.UTF8.GetBytes("/etc/passwd")), ("class00/secret.png", TestImages.Png(5)), .. TestImages.Classes(4, 2)]);
        var first = Find(zip, "PK\u0001\u0002", 0);
        var second = Find(zip, "PK\u0001\u0002", first + 4);
        BitConverter.TryWriteBytes(zip.AsSpan(first + 38), 0xA1FFu << 16);
        zip[second + 8] |= 1;
        sandbox.Put("pack.zip", zip);

        var built = await sandbox.BuildWell();

        built.Quarantined[0].Reason.ShouldContain("symbolic link");
        built.Quarantined[1].Reason.ShouldContain("encrypted");
        built.Manifest.Counts.Images.ShouldBe(8);
    }

    [Theory]
    [InlineData("pack.zip")]
    [InlineData("pack.tar")]
    [InlineData("pack.tar.gz")]
    [InlineData("pack.tar.zst")]
    public async Task What_came_before_the_end_of_a_cut_off_archive_is_taken(string name)
    {
        var whole = DropFormTests.Pack(name, [.. TestImages.Classes(8, 2, side: 160)]);
        sandbox.Put(name, whole[..(whole.Length * 3 / 4)]);

        var built = await sandbox.BuildWell();

        built.Manifest.Counts.Images.ShouldBeInRange(8, 15);
        built.Quarantined[^1].Name.ShouldBe(name);
        built.Quarantined[^1].Reason.ShouldContain("drop it again");
    }

    [Fact]
    public async Task An_archive_of_noise_is_refused_whole()
    {
        var noise = new byte[5000];
        new Random(1).NextBytes(noise);
        foreach (var name in new[] { "a.zip", "b.tar", "c.tar.gz", "d.tar.zst" }) sandbox.Put(name, noise);
        sandbox.PutClasses(4, 2);

        var built = await sandbox.BuildWell();

        built.Quarantined.Select(q => q.Name).ShouldBe(["a.zip", "b.tar", "c.tar.gz", "d.tar.zst"]);
    }

    [Fact]
    public async Task Bombs_stop_early_and_the_rest_goes_on()
    {
        sandbox.Put("a.zip", TestArchives.ZipBomb(10L << 30, TestImages.Classes(4, 2)));
        sandbox.Put("b.tar.gz", TestArchives.TarGzBomb(7L << 30, TestImages.Classes(2, 2, "other", 70_000)));

        var built = await sandbox.BuildWell();

        built.Manifest.Counts.Images.ShouldBe(12);
        built.Quarantined[0].Reason.ShouldContain("larger than");
        built.Quarantined.ShouldContain(q => q.Name == "b.tar.gz" && q.Reason.Contains("archive bomb"));
    }

    [Fact]
    public async Task A_member_that_lies_about_its_size_is_cut_off_while_it_is_read()
    {
        sandbox.Options.MaxFileBytes = 1 << 20;
        var zip = TestArchives.ZipBomb(50 << 20, TestImages.Classes(4, 2));
        // Both headers now claim 100 bytes.
        BitConverter.TryWriteBytes(zip.AsSpan(Find(zip, "PK\u0001\u0002", 0) + 24), 100);
        sandbox.Put("pack.zip", zip);

        var built = await sandbox.BuildWell();

        built.Manifest.Counts.Images.ShouldBe(8);
        built.Quarantined.ShouldHaveSingleItem().Bytes.GetValueOrDefault().ShouldBeLessThan(2 << 20);
    }

    [Fact]
    public async Task Too_many_files_end_the_reading()
    {
        sandbox.Options.MaxFiles = 10;
        sandbox.Put("pack.zip", TestArchives.Zip(TestImages.Classes(4, 5)));
        sandbox.Put("pack.tar", TestArchives.Tar(TestImages.Classes(4, 5)));

        var rejected = await sandbox.BuildBadly();

        rejected.Quarantined.ShouldContain(q => q.Reason.Contains("more than 10 files"));
    }

    [Fact]
    public async Task Long_and_undecodable_file_names_are_cleaned_and_cut_while_such_class_names_are_refused()
    {
        var zip = TestArchives.Zip([
            ($"class00/{new string('x', 300)}.png", TestImages.Png(700_001)), ("class00/QQQQ.png", TestImages.Png(700_002)),
            ($"{new string('y', 300)}/0.png", TestImages.Png(700_003)), ("ZZZZ/0.png", TestImages.Png(700_004)), .. TestImages.Classes(4, 2)]);
        Replace(zip, "QQQQ", [0xC4, 0xFF, 0xFE, 0x80]);
        Replace(zip, "ZZZZ", [0xC4, 0xFF, 0xFE, 0x80]);
        sandbox.Put("pack.zip", zip);

        var built = await sandbox.BuildWell();

        built.Manifest.Counts.Images.ShouldBe(10);
        built.Quarantined.Select(q => q.Reason).ShouldBe(["its class name has 300 characters; 200 are allowed", "its class name is not valid UTF-8: rename the folder"]);
        (await sandbox.Keys("")).ShouldAllBe(key => key.Length < 120 && key.All(char.IsAscii));
        var samples = await File.ReadAllTextAsync(await sandbox.Store.LocalFile(built.Manifest.Samples.Key, CancellationToken.None));
        samples.ShouldNotContain(new string('x', 201));
    }

    [Fact]
    public async Task An_empty_archive_and_an_empty_drop_are_rejected()
    {
        sandbox.Put("pack.zip", TestArchives.Zip([]));
        (await sandbox.BuildBadly()).Reason.ShouldContain("empty");
        await sandbox.ClearInbox();
        sandbox.Put("pack.tar.gz", TestArchives.Gzip(new byte[10240]));
        (await sandbox.BuildBadly()).Reason.ShouldContain("empty");
        await sandbox.ClearInbox();
        (await sandbox.BuildBadly()).Reason.ShouldContain("empty");
        sandbox.Put("pack.tar.gz", []);
        (await sandbox.BuildBadly()).Reason.ShouldContain("0 bytes");
    }

    [Fact]
    public async Task An_image_outside_every_class_folder_is_quarantined()
    {
        sandbox.PutClasses(4, 2);
        sandbox.Put("stray.png", TestImages.Png(4321));

        (await sandbox.BuildWell()).Quarantined.ShouldHaveSingleItem().Reason.ShouldContain("no class folder");
    }

    private static byte[] Bad(string name) => name switch
    {
        "truncated.jpg" => TestImages.TruncatedJpeg(),
        "text.png" => "This is no image."u8.ToArray(),
        "huge.png" => TestImages.HugeHeader(),
        "empty.png" => [],
        "tiny.png" => TestImages.Png(3, side: 4),
        "drawing.7z" => [1, 2, 3],
        _ => TestArchives.Zip([("x/1.png", TestImages.Png(7))]),
    };

    private static int Find(byte[] data, string text, int from) => data.AsSpan(from).IndexOf(Encoding.Latin1.GetBytes(text)) + from;

    private static void Replace(byte[] data, string text, byte[] by)
    {
        for (var at = 0; data.AsSpan(at).IndexOf(Encoding.Latin1.GetBytes(text)) is var next and >= 0; at += next + 4) by.CopyTo(data, at + next);
    }
}
