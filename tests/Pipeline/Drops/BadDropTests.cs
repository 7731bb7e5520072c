using System.Formats.Tar;
using System.Text;
using DmlPipeline.Local;
using DmlPipeline.Storage.State;
using DmlPipeline.Tests.Pipeline.Cli;
using DmlPipeline.Tests.Services.Ingestion;
using Xunit.Abstractions;

namespace DmlPipeline.Tests.Pipeline.Drops;

/// <summary>What a user who drops something bad is told, alone and among good images, through the command line and the whole pipeline.</summary>
public sealed class BadDropTests(ITestOutputHelper output) : IDisposable
{
    private const int GoodClasses = 8, GoodImages = 3;

    private readonly Sandbox sandbox = new();

    public void Dispose() => sandbox.Dispose();

    private sealed record Case(string Name, string Reason, params (string Path, byte[] Bytes)[] Files)
    {
        /// <summary>Good images inside the bad archive, which are taken all the same.</summary>
        public int Saved { get; init; }

        /// <summary>Good images beside the case are one class more, and nothing is refused.</summary>
        public bool IsGoodInCompany { get; init; }
    }

    [Fact]
    public async Task Every_bad_drop_is_told_with_its_reason_and_takes_no_good_image_with_it()
    {
        await using var pipeline = await LocalPipeline.Start(
            new LocalSettings(sandbox.Home) { Port = 0, Training = training => training.OnNewData = false }, default);

        foreach (var (@case, number) in Cases().Select((@case, number) => (@case, number)))
        {
            var alone = await Drop($"alone-{number}", @case.Files);
            var mixed = await Drop($"mixed-{number}", [.. @case.Files, .. TestImages.Classes(GoodClasses, GoodImages, "good")]);
            output.WriteLine($"{@case.Name}\n  alone:\n{Indented(alone)}\n  among {GoodClasses * GoodImages} good images:\n{Indented(mixed)}\n");

            alone.Code.ShouldBe(1, $"{@case.Name}, alone: {alone.Output}");
            alone.Output.ShouldContain(@case.Reason, Shouldly.Case.Sensitive, @case.Name);
            mixed.Code.ShouldBe(0, $"{@case.Name}, mixed: {mixed.Output}{mixed.Error}");
            var version = (await pipeline.Database.DatasetVersions($"mixed-{number}", default)).ShouldHaveSingleItem(@case.Name);
            version.Images.ShouldBe((GoodClasses * GoodImages) + @case.Saved, @case.Name);
            if (!@case.IsGoodInCompany) mixed.Output.ShouldContain(@case.Reason, Shouldly.Case.Sensitive, @case.Name);
            (await pipeline.Database.DatasetVersions($"alone-{number}", default)).ShouldBeEmpty(@case.Name);
        }
    }

    private static IEnumerable<Case> Cases()
    {
        var sound = TestImages.Png(70_000);
        yield return new("zip slip", "climbs out", ("pack.zip", TestArchives.Zip([("../../escape/0.png", sound)])));
        yield return new("absolute member", "absolute", ("pack.zip", TestArchives.Zip([("/etc/class/0.png", sound)])));
        yield return new("symlink member", "symbolic link", ("pack.tar", TestArchives.Tar(new PaxTarEntry(TarEntryType.SymbolicLink, "class/link.png") { LinkName = "/etc/passwd" })));
        yield return new("10 GB bomb", "larger than", ("pack.zip", TestArchives.ZipBomb(10L << 30, [])));
        yield return new("7 GB bomb as tar.gz", "archive bomb", ("pack.tar.gz", TestArchives.TarGzBomb(7L << 30, [("class/empty.png", [])])));
        yield return new("nested archive", "archive inside an archive", ("pack.zip", TestArchives.Zip([("class/inner.zip", TestArchives.Zip([("a/0.png", sound)]))])));
        yield return new("truncated JPEG", "truncated", ("class/photo.jpg", TestImages.TruncatedJpeg()));
        yield return new("text named .png", "class/notes.png", ("class/notes.png", "This is no image."u8.ToArray()));
        yield return new("100,000 x 100,000 px header", "100000x100000", ("class/huge.png", TestImages.HugeHeader()));
        yield return new("0 bytes", "0 bytes", ("class/empty.png", []));
        yield return new("empty archive", "empty", ("pack.zip", TestArchives.Zip([]))) { IsGoodInCompany = true };
        yield return new("one class only", "class", [.. TestImages.Classes(1, 4, "only", firstSeed: 80_000)]) { Saved = 4, IsGoodInCompany = true };
        yield return new("a class with a single image", "at least 2 images", ("lonely/0.png", TestImages.Png(81_000)));
        yield return new("names that are not UTF-8", "not valid UTF-8", ("pack.zip", NotUtf8(TestArchives.Zip([("ZZZZ/0.png", sound), ("ZZZZ/1.png", TestImages.Png(70_001))]))));
        yield return new("300-character names", "300 characters", ("pack.zip", TestArchives.Zip([($"{new string('y', 300)}/0.png", sound), ($"{new string('y', 300)}/1.png", TestImages.Png(70_001))])));
        yield return new("same image under two labels", "under the labels", ("cat/0.png", sound), ("dog/0.png", sound));
        yield return new("broken annotations of a published dataset", "Cars196 cannot be read", ("cars_annos.mat", "MATLAB 5.0 MAT-file"u8.ToArray()));
        yield return new("manifest row without its file", "missing.png", ("labels.csv", "path,label\nmissing.png,cat\n"u8.ToArray()));
    }

    private async Task<Sandbox.Result> Drop(string dataset, (string Path, byte[] Bytes)[] files)
    {
        var folder = Path.Combine(sandbox.Folder, dataset);
        foreach (var (name, bytes) in files)
        {
            var path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            await File.WriteAllBytesAsync(path, bytes);
        }
        return await sandbox.Dml("drop", dataset, folder, "--wait");
    }

    private static byte[] NotUtf8(byte[] zip)
    {
        for (int at; (at = zip.AsSpan().IndexOf("ZZZZ"u8)) >= 0;) new byte[] { 0xC4, 0xFF, 0xFE, 0x80 }.CopyTo(zip, at);
        return zip;
    }

    private static string Indented(Sandbox.Result result)
    {
        var text = new StringBuilder();
        foreach (var line in result.Output.Split('\n').Where(line => line.Length > 0)) text.Append("    ").AppendLine(line);
        return text.ToString().TrimEnd();
    }
}
