namespace DmlPipeline.Tests.Services.Ingestion;

public sealed class LabelTests : IDisposable
{
    private readonly DropSandbox sandbox = new();

    public void Dispose() => sandbox.Dispose();

    [Fact]
    public async Task One_class_only_is_rejected_and_may_wait_for_more()
    {
        sandbox.PutClasses(1, 5);

        var rejected = await sandbox.BuildBadly();

        rejected.Reason.ShouldStartWith("one class only ('class00'): metric learning compares classes");
        rejected.NeedsMore.ShouldBeTrue();
        (await sandbox.Keys("datasets/")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Too_few_classes_to_train_and_to_judge_are_rejected(int classes)
    {
        sandbox.PutClasses(classes, 5);

        (await sandbox.BuildBadly()).Reason.ShouldStartWith("too few classes");
    }

    [Fact]
    public async Task A_class_with_a_single_image_is_kept_out_until_more_of_it_comes()
    {
        sandbox.PutClasses(4, 2);
        sandbox.Put("lonely/1.png", TestImages.Png(8001));
        var first = await sandbox.BuildWell();
        sandbox.Put("lonely/2.png", TestImages.Png(8002));

        var second = await sandbox.BuildWell(first.Manifest, "drop-2");

        var refused = first.Quarantined.ShouldHaveSingleItem();
        refused.Reason.ShouldStartWith("a class needs at least 2 images");
        (await File.ReadAllBytesAsync(await sandbox.Store.LocalFile(refused.Key!, CancellationToken.None))).ShouldBe(TestImages.Png(8001));
        second.Manifest.Classes.ShouldContain(c => c.Name == "lonely" && c.Images == 2);
    }

    [Fact]
    public async Task Only_classes_with_a_single_image_make_no_version()
    {
        sandbox.PutClasses(5, 1);

        var rejected = await sandbox.BuildBadly();

        rejected.Reason.ShouldContain("a class needs at least 2 images");
        rejected.NeedsMore.ShouldBeTrue();
        rejected.Quarantined.Count.ShouldBe(5);
    }

    [Fact]
    public async Task The_same_image_in_one_class_counts_once()
    {
        sandbox.PutClasses(4, 2);
        sandbox.Put("class00/copy.png", TestImages.Png(0));

        var built = await sandbox.BuildWell();

        (built.Manifest.Counts.Images, built.Manifest.Counts.Duplicates).ShouldBe((8, 1));
    }

    [Fact]
    public async Task The_same_image_under_two_labels_is_quarantined_in_all_its_copies()
    {
        sandbox.PutClasses(4, 3);
        sandbox.Put("class01/copy.png", TestImages.Png(0));

        var built = await sandbox.BuildWell();

        built.Manifest.Counts.Images.ShouldBe(11);
        built.Quarantined.Select(q => q.Name).ShouldBe(["class00/00.png", "class01/copy.png"]);
        built.Quarantined.ShouldAllBe(q => q.Reason.Contains("'class00' and 'class01'") && q.Key != null);
    }

    [Fact]
    public async Task A_known_image_under_a_new_label_keeps_its_old_one()
    {
        sandbox.PutClasses(4, 2);
        var first = await sandbox.BuildWell();
        await sandbox.ClearInbox();
        sandbox.PutClasses(1, 2, "new", 60_000);
        sandbox.Put("new00/known.png", TestImages.Png(0));

        var second = await sandbox.BuildWell(first.Manifest, "drop-2");

        second.Quarantined.ShouldHaveSingleItem().Reason.ShouldContain("already in version 1 under the label 'class00'");
        second.Manifest.Counts.Images.ShouldBe(10);
    }

    [Fact]
    public async Task A_row_without_its_file_is_reported_and_the_others_count()
    {
        foreach (var (path, bytes) in TestImages.Classes(4, 2)) sandbox.Put("img/" + path.Replace('/', '-'), bytes);
        sandbox.Put("img/unlisted.png", TestImages.Png(5555));
        var rows = TestImages.Classes(4, 2).Select(i => $"img/{i.Path.Replace('/', '-')},{i.Path[..7]}");
        sandbox.Put("labels.csv", "path,label\n" + string.Join('\n', rows) + "\nimg/missing.png,class00\n../../etc/passwd,class01\nimg/x.png\n");

        var built = await sandbox.BuildWell();

        built.Manifest.Counts.Images.ShouldBe(8);
        built.Quarantined.Select(q => (q.Name, q.Reason)).OrderBy(q => q.Name, StringComparer.Ordinal).ShouldBe([
            ("img/unlisted.png", "no row of the label file lists it"),
            ("labels.csv row 10", "'../../etc/passwd': its name climbs out of the drop with '..'"),
            ("labels.csv row 11", "it has too few columns"),
            ("labels.csv row 9", "it names 'img/missing.png', which is not among the files that could be read beside it"),
        ]);
    }

    [Theory]
    [InlineData("file,class\na.png,b\n", "path and label")]
    [InlineData("", "path and label")]
    public async Task A_csv_without_the_right_header_is_refused(string csv, string reason)
    {
        sandbox.PutClasses(4, 2);
        sandbox.Put("labels.csv", csv);

        (await sandbox.BuildWell()).Quarantined.ShouldHaveSingleItem().Reason.ShouldContain(reason);
    }

    [Fact]
    public async Task Rows_that_contradict_each_other_about_label_or_split_are_refused()
    {
        sandbox.PutClasses(5, 3);
        sandbox.Put("class00/labels.csv", "path,label\n00.png,class00\n00.png,class09\n");
        sandbox.Put("class01/labels.jsonl", """
            {"path": "00.png", "label": "class01", "split": "train"}
            {"path": "01.png", "label": "class01", "split": "test"}
            {"path": "02.png", "label": "class01", "split": "sideways"}
            not json
            """);

        var built = await sandbox.BuildWell();

        built.Quarantined.ShouldContain(q => q.Name == "class00/00.png" && q.Reason.Contains("'class00' and 'class09'"));
        built.Quarantined.Count(q => q.Reason.Contains("the splits test and train")).ShouldBe(2);
        built.Quarantined.ShouldContain(q => q.Name == "class01/labels.jsonl row 3" && q.Reason.Contains("sideways"));
        built.Quarantined.ShouldContain(q => q.Name == "class01/labels.jsonl row 4");
    }

    [Fact]
    public async Task Settings_choose_splits_and_recipe()
    {
        sandbox.PutClasses(8, 2);
        sandbox.Put("dataset.yaml", """
            split_by: class
            test_classes: [class06, class07]
            validation: 0
            recipe:
              backbone: conv4
              epochs: 30
              name: "30"
              margin: 0.1
            """);

        var built = await sandbox.BuildWell();

        built.Manifest.Classes.Where(c => c.Split == "test").Select(c => c.Name).ShouldBe(["class06", "class07"]);
        built.Manifest.Classes.Count(c => c.Split == "train").ShouldBe(6);
        built.Manifest.Recipe.ShouldBe("""{"backbone":"conv4","epochs":30,"name":"30","margin":0.1}""");
    }

    [Theory]
    [InlineData("split_by: colour", "line 1: split_by must be one of class, first-folder, auto")]
    [InlineData("test: 0.25\nvalidation: 7", "line 2: validation is a share")]
    [InlineData("tests: 0.25", "'tests' is no option")]
    [InlineData("- a list", "one mapping")]
    [InlineData("test_classes: [nowhere]", "'nowhere' under test_classes: no usable class")]
    [InlineData("test_classes: [class00]\nvalidation_classes: [class00]", "choose one")]
    [InlineData("recipe: &a [1, *a]", "aliases")]
    [InlineData("recipe: [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", "nested")]
    [InlineData("recipe: {", "line")]
    public async Task Wrong_settings_reject_the_drop_with_the_place_and_the_remedy(string yaml, string reason)
    {
        sandbox.PutClasses(6, 2);
        sandbox.Put("dataset.yaml", yaml);

        (await sandbox.BuildBadly()).Reason.ShouldContain(reason);
    }

    [Fact]
    public async Task A_class_of_the_parent_cannot_be_listed_into_another_split()
    {
        sandbox.PutClasses(8, 2);
        var first = await sandbox.BuildWell();
        sandbox.PutClasses(1, 2, "new", 60_000);
        var train = first.Manifest.Classes.First(c => c.Split == "train").Name;
        sandbox.Put("dataset.yaml", $"test_classes: [{train}]");

        (await sandbox.BuildBadly(first.Manifest, "drop-2")).Reason.ShouldContain("classes never move");
    }
}
