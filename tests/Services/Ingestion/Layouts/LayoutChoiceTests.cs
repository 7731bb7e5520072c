using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion;
using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Ingestion.Layouts;

/// <summary>When a layout is recognised, what its owner may say about that, and what is told of annotations that are wrong.</summary>
public sealed class LayoutChoiceTests : IDisposable
{
    private readonly DropSandbox sandbox = new();

    public void Dispose() => sandbox.Dispose();

    [Fact]
    public async Task Layout_none_takes_folders_for_classes()
    {
        Put(PublishedDrops.Cub(8, 2));
        sandbox.Put("dataset.yaml", "layout: none");

        var built = await sandbox.BuildWell();

        built.Manifest.Layout.ShouldBeNull();
        built.Manifest.Split.Reason.ShouldStartWith("classes lie in only 1 first folders");
        built.Manifest.Classes[0].Name.ShouldBe("CUB_200_2011/images/001.Bird_1");
        built.Counts.Ignored.ShouldBe(5);
    }

    [Fact]
    public async Task A_layout_that_is_asked_for_and_not_there_waits_for_the_rest()
    {
        sandbox.Put("images_background.zip", TestArchives.Zip(PublishedDrops.Omniglot().Background));
        sandbox.Put("dataset.yaml", "layout: omniglot");

        var rejected = await sandbox.BuildBadly();

        rejected.Reason.ShouldBe(
            "dataset.yaml says layout: omniglot, and not all of it is there: Omniglot is images_background and images_evaluation with alphabet/character/image inside");
        rejected.NeedsMore.ShouldBeTrue();
    }

    [Fact]
    public async Task An_unknown_layout_is_named_with_those_there_are()
    {
        sandbox.PutClasses(4, 2);
        sandbox.Put("dataset.yaml", "layout: cub2000");

        (await sandbox.BuildBadly()).Reason.ShouldContain("layout must be one of auto, none, cub200, cars196, sop, inshop, market1501, omniglot");
    }

    [Theory]
    [InlineData("test: 0.5", "recognised as Market-1501; classes are not grouped in folders")]
    [InlineData("split_by: class", "recognised as Market-1501; asked for by dataset.yaml")]
    [InlineData("test_classes: ['0001', '0002']", "recognised as Market-1501; classes are not grouped in folders")]
    public async Task Whoever_divides_a_published_dataset_otherwise_keeps_its_labels_only(string settings, string reason)
    {
        Put(PublishedDrops.Market());
        sandbox.Put("dataset.yaml", settings);

        var built = await sandbox.BuildWell();

        built.Manifest.Layout.ShouldBeNull();
        built.Manifest.Split.Reason.ShouldBe(reason);
        built.Manifest.Classes.Select(c => c.Name).ShouldContain("0101");
        (await Samples(1)).ShouldAllBe(s => s.Role == null && s.Camera >= 1);
    }

    [Fact]
    public async Task The_owner_may_choose_validation_classes_and_their_share()
    {
        Put(PublishedDrops.Cub(20, 2));
        sandbox.Put("dataset.yaml", "validation_classes: [003.Bird_3]");
        using var other = new DropSandbox();
        foreach (var (path, bytes) in PublishedDrops.Cub(20, 2)) other.Put(path, bytes);
        other.Put("dataset.yaml", "validation: 0.4");

        var (listed, shared) = (await sandbox.BuildWell(), await other.BuildWell());

        listed.Manifest.Layout.ShouldBe("cub200");
        listed.Manifest.Classes.Where(c => c.Split == "validation").ShouldHaveSingleItem().Name.ShouldBe("003.Bird_3");
        shared.Manifest.Classes.CountBy(c => c.Split).ToDictionary().ShouldBe(new Dictionary<string, int> { ["train"] = 6, ["validation"] = 4, ["test"] = 10 }, ignoreOrder: true);
    }

    [Fact]
    public async Task Test_classes_cannot_be_validated_on()
    {
        Put(PublishedDrops.Cub(20, 2));
        sandbox.Put("dataset.yaml", "validation_classes: [013.Bird_13]");

        var built = await sandbox.BuildWell();

        built.Manifest.Classes.ShouldNotContain(c => c.Name == "013.Bird_13");
        built.Quarantined.Count.ShouldBe(2);
        built.Quarantined.ShouldAllBe(q => q.Reason.Contains("asks for the split test, but '013.Bird_13' belongs to validation"));
    }

    [Fact]
    public async Task A_label_file_goes_before_what_is_recognised()
    {
        Put(PublishedDrops.Cub(8, 2));
        sandbox.Put("labels.csv", "path,label\n" + string.Join('\n', PublishedDrops.Cub(8, 2).Where(m => m.Path.EndsWith(".jpg", StringComparison.Ordinal)).Select((m, i) => $"{m.Path},kind{i / 4}")));

        var built = await sandbox.BuildWell();

        built.Manifest.Classes.Select(c => c.Name).ShouldBe(["kind0", "kind1", "kind2", "kind3"]);
        built.Manifest.Layout.ShouldBeNull();
    }

    [Fact]
    public async Task What_belongs_to_no_part_of_it_is_kept_aside_with_the_reason()
    {
        Put(PublishedDrops.Cub(8, 2));
        sandbox.Put("mine/1.png", TestImages.Png(91_000));
        sandbox.Put("CUB_200_2011/images/001.Bird_1/Bird_1_0000_0.jpg", "no image");

        var built = await sandbox.BuildWell();

        built.Quarantined.Select(q => (q.Name, q.Class, q.Reason)).ShouldBe([
            ("CUB_200_2011/images/001.Bird_1/Bird_1_0000_0.jpg", "001.Bird_1", "it is not a JPEG, PNG or WebP image; it looks like a text file"),
            ("CUB_200_2011/images/001.Bird_1/Bird_1_0001_1.jpg", "001.Bird_1", "a class needs at least 2 images and this one has fewer: drop this image again together with more of its class (it is kept here until then)"),
            ("mine/1.png", null, "it is no part of CUB-200-2011, which was recognised: drop it by itself, or write layout: none into dataset.yaml")]);
    }

    [Fact]
    public async Task Wrong_lines_and_missing_images_are_told()
    {
        Put([.. PublishedDrops.Cub(8, 2).Where(m => !m.Path.Contains("/008.", StringComparison.Ordinal))]);
        var lines = System.Text.Encoding.UTF8.GetString(PublishedDrops.Cub(8, 2).First(m => m.Path.EndsWith("/image_class_labels.txt", StringComparison.Ordinal)).Bytes);
        sandbox.Put("CUB_200_2011/image_class_labels.txt", lines + "17 99\nnonsense\n");

        var built = await sandbox.BuildWell();

        built.Quarantined.Select(q => (q.Name, q.Reason)).Order().ShouldBe([
            ("CUB_200_2011/image_class_labels.txt line 17", "it is not the number of an image and the number of a class in classes.txt"),
            ("CUB_200_2011/image_class_labels.txt line 18", "it is not the number of an image and the number of a class in classes.txt"),
            ("CUB_200_2011/images.txt", "it lists 2 images that were not dropped, first '008.Bird_8/Bird_8_0000_14.jpg'")]);
        built.Manifest.Classes.Count.ShouldBe(7);
    }

    [Fact]
    public async Task A_broken_mat_file_is_named_and_takes_no_good_image_with_it()
    {
        var (images, annotations) = PublishedDrops.Cars(8, 2);
        Put(images);
        sandbox.Put("cars_annos.mat", annotations[..^40]);

        var alone = await sandbox.BuildBadly();
        sandbox.PutClasses(4, 2);
        var mixed = await sandbox.BuildWell();
        sandbox.Put("dataset.yaml", "layout: cars196");
        var asked = await sandbox.BuildBadly(mixed.Manifest, "drop-2");

        alone.Reason.ShouldStartWith("one class only ('car_ims')");
        foreach (var result in new DatasetBuildResult[] { alone, mixed })
        {
            var refused = result.Quarantined.ShouldHaveSingleItem();
            (refused.Name, refused.Reason).ShouldBe(("cars_annos.mat", "these annotations of Cars196 cannot be read: it ends in the middle of an array"));
        }
        mixed.Manifest.Classes.Count.ShouldBe(5);
        asked.Reason.ShouldStartWith("dataset.yaml says layout: cars196");
        asked.Quarantined.ShouldContain(q => q.Name == "cars_annos.mat");
    }

    [Fact]
    public async Task Files_of_those_names_without_their_images_change_nothing()
    {
        sandbox.PutClasses(4, 2);
        foreach (var name in new[] { "images.txt", "image_class_labels.txt", "classes.txt", "list_eval_partition.txt", "Ebay_train.txt", "Ebay_test.txt" }) sandbox.Put(name, "1 1\n2 2\n");

        var built = await sandbox.BuildWell();

        built.Manifest.Layout.ShouldBeNull();
        built.Counts.Ignored.ShouldBe(6);
        built.Quarantined.ShouldBeEmpty();
    }

    [Fact]
    public async Task Classes_that_join_a_published_dataset_later_leave_its_own_where_they_are()
    {
        Put(PublishedDrops.Cub(20, 2));
        var first = await sandbox.BuildWell();
        await sandbox.ClearInbox();
        sandbox.PutClasses(6, 2, "mine", 95_000);

        var second = await sandbox.BuildWell(first.Manifest, "drop-2");

        second.Manifest.Layout.ShouldBeNull("its test is no longer the published one");
        second.Manifest.Classes.Where(c => c.Name.Contains("Bird", StringComparison.Ordinal)).ShouldBe(first.Manifest.Classes);
        second.Manifest.Classes.Count.ShouldBe(26);
    }

    [Fact]
    public async Task A_published_dataset_may_come_in_two_drops()
    {
        var all = PublishedDrops.Cub(20, 3);
        Put([.. all.Where(m => !m.Path.EndsWith("7.jpg", StringComparison.Ordinal))]);
        var first = await sandbox.BuildWell();
        Put(all);

        var second = await sandbox.BuildWell(first.Manifest, "drop-2");

        second.Quarantined.ShouldBeEmpty();
        second.Manifest.Layout.ShouldBe("cub200");
        second.Manifest.Counts.Images.ShouldBe(60);
        second.Manifest.Classes.Select(c => (c.Name, c.Split)).ShouldBe(first.Manifest.Classes.Select(c => (c.Name, c.Split)));
    }

    [Fact]
    public async Task The_same_picture_as_query_and_as_gallery_is_both()
    {
        var members = PublishedDrops.InShop();
        var twin = members.Find(m => m.Path.EndsWith("id_00000008/02_1_front.jpg", StringComparison.Ordinal)).Bytes;
        Put([.. members.Select(m => m.Path.EndsWith("id_00000008/02_2_side.jpg", StringComparison.Ordinal) ? (m.Path, twin) : m)]);
        sandbox.Put("In-shop/Eval/list_eval_partition.txt", System.Text.Encoding.UTF8.GetString(members[^1].Bytes) + "img/extra.jpg id_00000008 gallery\n");
        sandbox.Put("In-shop/Img/img/extra.jpg", TestImages.Png(96_000));

        (await sandbox.BuildWell()).Manifest.Counts.Duplicates.ShouldBe(1);

        (await Samples(1)).Where(s => s.Class == "id_00000008").Select(s => s.Role).ShouldBe([null, "gallery"], ignoreOrder: true);
    }

    private void Put(IEnumerable<(string Path, byte[] Bytes)> members)
    {
        foreach (var (path, bytes) in members) sandbox.Put(path, bytes);
    }

    private async Task<IReadOnlyList<DatasetSample>> Samples(int version)
    {
        using var reader = await DatasetReader.Open(sandbox.Store, DropSandbox.Dataset, version, CancellationToken.None);
        return reader.Samples;
    }
}
