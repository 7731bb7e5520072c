using DmlPipeline.Cli;
using DmlPipeline.Cli.Dropping;

namespace DmlPipeline.Tests.Pipeline.Cli;

public sealed class DropTests : IDisposable
{
    private readonly Sandbox sandbox = new();

    public void Dispose() => sandbox.Dispose();

    [Fact]
    public void A_folder_of_class_folders_is_dropped_as_its_classes()
    {
        var data = sandbox.Write("photos", "robin/1.jpg", "thrush/song/2.png");

        Keys(data).ShouldBe(["robin/1.jpg", "thrush/song/2.png"]);
    }

    [Fact]
    public void A_folder_of_nothing_but_images_is_a_class()
    {
        var data = sandbox.Write("photos", "robin/1.jpg", "thrush/2.png");

        Keys(Path.Combine(data, "robin"), Path.Combine(data, "thrush")).ShouldBe(["robin/1.jpg", "thrush/2.png"]);
    }

    [Fact]
    public void Images_beside_a_label_file_keep_their_place_next_to_it() =>
        Keys(sandbox.Write("photos", "1.jpg", "2.jpg", "labels.csv")).ShouldBe(["1.jpg", "2.jpg", "labels.csv"]);

    [Fact]
    public void An_archive_stays_one_object_and_an_image_belongs_to_its_folder()
    {
        var data = sandbox.Write("photos", "all.tar.gz", "robin/1.jpg");

        Keys(Path.Combine(data, "all.tar.gz"), Path.Combine(data, "robin", "1.jpg")).ShouldBe(["all.tar.gz", "robin/1.jpg"]);
    }

    [Fact]
    public void Hidden_files_are_left_behind_and_control_characters_are_replaced() =>
        Keys(sandbox.Write("photos", ".git/config", "robin/.DS_Store", "ro\u001bbin/1.jpg", "a\\b/2.jpg")).ShouldBe(["a_b/2.jpg", "ro_bin/1.jpg"]);

    [Fact]
    public void Two_files_with_one_key_are_an_error_that_names_both()
    {
        var (first, second) = (sandbox.Write("a", "robin/1.jpg"), sandbox.Write("b", "robin/1.jpg"));

        var error = Should.Throw<CliException>(() => DropPlan.Make([first, second]));
        error.Message.ShouldContain(first);
        error.Message.ShouldContain(second);
    }

    [Theory]
    [InlineData("/data/CUB 200 (2011).tar.gz", "cub-200-2011")]
    [InlineData("Photos/", "photos")]
    [InlineData("../x/Ünïcode!!.zip", "n-code")]
    [InlineData("日本.zip", "images")]
    public void A_dataset_name_is_made_of_a_file_name(string path, string name) => DropPlan.DatasetNameFor(path).ShouldBe(name);

    [Fact]
    public async Task Dropped_files_lie_in_the_inbox_and_wait_for_the_pipeline()
    {
        var data = sandbox.Write("photos", "robin/1.jpg", "robin/2.jpg");

        var result = await sandbox.Dml("drop", "birds", data, "--split-by", "class", "--recipe", "circle");

        result.Code.ShouldBe(0, result.Error);
        result.Output.ShouldContain($"dml up --home {sandbox.Home.Path}");
        var inbox = Path.Combine(sandbox.Home.StoreFolder, "inbox", "birds");
        (await File.ReadAllTextAsync(Path.Combine(inbox, "robin", "1.jpg"))).ShouldBe("robin/1.jpg");
        (await File.ReadAllTextAsync(Path.Combine(inbox, "dataset.yaml"))).ShouldBe("split_by: class\nrecipe: circle\n");
        File.Exists(Path.Combine(inbox, "_READY")).ShouldBeTrue();
    }

    [Fact]
    public async Task The_mark_of_a_complete_drop_differs_each_time()
    {
        var data = sandbox.Write("photos", "robin/1.jpg");
        var mark = Path.Combine(sandbox.Home.StoreFolder, "inbox", "birds", "_READY");

        await sandbox.Dml("drop", "birds", data);
        var first = await File.ReadAllTextAsync(mark);
        await sandbox.Dml("drop", "birds", data);

        (await File.ReadAllTextAsync(mark)).ShouldNotBe(first);
    }

    [Fact]
    public async Task A_drop_as_json_counts_files_and_bytes()
    {
        var data = sandbox.Write("photos", "robin/1.jpg", "robin/2.jpg");

        var json = (await sandbox.Dml("drop", "birds", data, "--json")).Json;

        json["dataset"]!.ToString().ShouldBe("birds");
        json["files"]!.GetValue<int>().ShouldBe(2);
        json["bytes"]!.GetValue<long>().ShouldBe(2 * "robin/1.jpg".Length);
        json["running"]!.GetValue<bool>().ShouldBeFalse();
    }

    [Theory]
    [InlineData("Birds")]
    [InlineData("../birds")]
    [InlineData("birds\n")]
    public async Task A_bad_dataset_name_is_refused_before_anything_is_written(string name)
    {
        var result = await sandbox.Dml("drop", name, sandbox.Write("photos", "robin/1.jpg"));

        result.Code.ShouldBe(1);
        result.Error.ShouldContain("lower-case letters");
        result.Error.ShouldContain("'birds'");
        Directory.Exists(sandbox.Home.Path).ShouldBeFalse();
    }

    [Fact]
    public async Task Nothing_is_dropped_when_a_path_is_missing_or_nothing_would_ever_end_the_wait()
    {
        var data = sandbox.Write("photos", "robin/1.jpg");

        (await sandbox.Dml("drop", "birds", data, Path.Combine(data, "nope"))).Error.ShouldContain("nope");
        (await sandbox.Dml("drop", "birds", data, "--wait")).Error.ShouldContain("dml up");
        Directory.Exists(Path.Combine(sandbox.Home.StoreFolder, "inbox")).ShouldBeFalse();
    }

    [Fact]
    public async Task Options_that_contradict_the_folder_s_own_settings_are_refused()
    {
        var data = sandbox.Write("photos", "robin/1.jpg", "dataset.yaml");

        var result = await sandbox.Dml("drop", "birds", data, "--split-by", "class");

        result.Code.ShouldBe(1);
        result.Error.ShouldContain("dataset.yaml");
    }

    private static IEnumerable<string> Keys(params string[] paths) => DropPlan.Make(paths).Select(planned => planned.Key);
}
