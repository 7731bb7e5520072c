using DmlPipeline.Contracts.Datasets;
using DmlPipeline.Ingestion;
using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Ingestion.Layouts;

public sealed class PublishedLayoutTests : IDisposable
{
    private readonly DropSandbox sandbox = new();

    public void Dispose() => sandbox.Dispose();

    [Fact]
    public async Task Cub_is_divided_into_the_first_and_the_last_hundred_classes()
    {
        sandbox.Put("CUB_200_2011.tgz", TestArchives.Gzip(TestArchives.Tar(PublishedDrops.Cub(classes: 200, imagesEach: 2))));

        var built = await sandbox.BuildWell();

        built.Manifest.Layout.ShouldBe("cub200");
        built.Manifest.Split.ShouldBe(new DatasetSplit(
            "class", "recognised as CUB-200-2011: official split (the first half of the classes, 1 to 100, trains; the second half tests)", 0.05, 0.5));
        built.Manifest.Classes.Where(c => c.Split == "test").Select(c => c.Name).ShouldBe(Enumerable.Range(101, 100).Select(c => $"{c:000}.Bird_{c}"));
        built.Manifest.Classes.CountBy(c => c.Split).ToDictionary().ShouldBe(new Dictionary<string, int> { ["train"] = 90, ["validation"] = 10, ["test"] = 100 }, ignoreOrder: true);
        built.Manifest.Classes.ShouldAllBe(c => c.Images == 2);
        built.Quarantined.ShouldBeEmpty();
        built.Counts.Ignored.ShouldBe(2, "attributes.txt and train_test_split.txt");
    }

    [Fact]
    public async Task Everybodys_copy_of_a_published_dataset_has_the_same_validation_classes()
    {
        foreach (var (path, bytes) in PublishedDrops.Cub(40, 2)) sandbox.Put(path, bytes);
        using var other = new DropSandbox();
        other.Put("unwrapped.zip", TestArchives.Zip(PublishedDrops.Cub(40, 2, root: "")));

        var (one, two) = ((await sandbox.BuildWell()).Manifest, (await other.BuildWell()).Manifest);

        one.Classes.ShouldBe(two.Classes);
        one.Classes.Count(c => c.Split == "validation").ShouldBe(2);
        one.ContentHash.ShouldBe(two.ContentHash);
    }

    [Fact]
    public async Task Cars_are_labelled_by_their_mat_file_wherever_the_images_lie()
    {
        var (images, annotations) = PublishedDrops.Cars(classes: 12, imagesEach: 2);
        sandbox.Put("car_ims.tgz", TestArchives.Gzip(TestArchives.Tar(images)));
        sandbox.Put("cars_annos.mat", annotations);

        var built = await sandbox.BuildWell();

        built.Manifest.Layout.ShouldBe("cars196");
        built.Manifest.Classes.Where(c => c.Split != "test").Select(c => c.Name).ShouldBe(Enumerable.Range(1, 6).Select(c => $"Car {c} C-V 2012"), ignoreOrder: true);
        built.Manifest.Classes.Where(c => c.Split == "test").Select(c => c.Name).ShouldBe(Enumerable.Range(7, 6).Select(c => $"Car {c} C-V 2012"), ignoreOrder: true);
        built.Quarantined.ShouldBeEmpty();
    }

    [Fact]
    public async Task Cars_in_a_training_and_a_test_folder_are_divided_by_class_all_the_same()
    {
        foreach (var (path, bytes) in PublishedDrops.CarsInTwoParts(classes: 8)) sandbox.Put(path, bytes);

        var built = await sandbox.BuildWell();

        built.Manifest.Layout.ShouldBe("cars196");
        built.Manifest.Classes.ShouldAllBe(c => c.Images == 4);
        built.Manifest.Classes.Where(c => c.Split == "test").Select(c => c.Name).ShouldBe(Enumerable.Range(5, 4).Select(c => $"Car {c} C-V 2012"), ignoreOrder: true);
        built.Quarantined.ShouldBeEmpty();
    }

    [Fact]
    public async Task Online_products_are_divided_by_their_two_lists()
    {
        sandbox.Put("Stanford_Online_Products.zip", TestArchives.Zip(PublishedDrops.OnlineProducts()));

        var built = await sandbox.BuildWell();

        built.Manifest.Layout.ShouldBe("sop");
        built.Manifest.Classes.Where(c => c.Split != "test").Select(c => c.Name).ShouldBe(["bicycle/2", "bicycle/4", "bicycle/6", "coffee_maker/1", "coffee_maker/3", "coffee_maker/5"]);
        built.Manifest.Classes.Count(c => c.Split == "test").ShouldBe(6);
        built.Manifest.Split.By.ShouldBe("class");
        built.Quarantined.ShouldBeEmpty();
    }

    [Fact]
    public async Task In_shop_has_queries_and_a_gallery()
    {
        sandbox.Put("in-shop.zip", TestArchives.Zip(PublishedDrops.InShop()));

        var built = await sandbox.BuildWell();

        built.Manifest.Layout.ShouldBe("inshop");
        built.Manifest.Classes.Where(c => c.Split == "test").Select(c => c.Name).ShouldBe(Enumerable.Range(7, 6).Select(i => $"id_{i:00000000}"));
        (await Samples()).Select(s => (s.Name[^11..], s.Role, Test: string.CompareOrdinal(s.Class, "id_00000006") > 0)).ShouldAllBe(s =>
            s.Role == (s.Test ? s.Item1.EndsWith("front.jpg", StringComparison.Ordinal) ? "query" : "gallery" : null));
        built.Quarantined.ShouldBeEmpty();
    }

    [Fact]
    public async Task Market_has_queries_a_gallery_with_distractors_cameras_and_no_junk()
    {
        sandbox.Put("Market-1501-v15.09.15.zip", TestArchives.Zip(PublishedDrops.Market()));

        var built = await sandbox.BuildWell();

        built.Manifest.Layout.ShouldBe("market1501");
        built.Manifest.Classes.Where(c => c.Split == "test").Select(c => (c.Name, c.Images)).ShouldBe([("0001", 6), ("0002", 6), ("0003", 6), ("0004", 6), ("0005", 6), ("distractors", 3)]);
        built.Counts.Ignored.ShouldBe(3, "two junk images and a hand-drawn box");
        built.Quarantined.ShouldBeEmpty();
        var samples = await Samples();
        samples.CountBy(s => s.Role ?? "both").ToDictionary().ShouldBe(new Dictionary<string, int> { ["query"] = 15, ["gallery"] = 18, ["both"] = 18 }, ignoreOrder: true);
        samples.ShouldAllBe(s => s.Name.Contains($"_c{s.Camera}s"));
        samples.Where(s => s.Class == "distractors").ShouldAllBe(s => s.Role == "gallery");
    }

    [Fact]
    public async Task Omniglot_is_divided_by_its_two_sets_of_alphabets()
    {
        var (background, evaluation) = PublishedDrops.Omniglot();
        sandbox.Put("images_background.zip", TestArchives.Zip(background));
        sandbox.Put("images_evaluation.zip", TestArchives.Zip(evaluation));

        var built = await sandbox.BuildWell();

        built.Manifest.Layout.ShouldBe("omniglot");
        built.Manifest.Split.By.ShouldBe("first-folder");
        built.Manifest.Classes.Where(c => c.Split == "test").Select(c => c.Unit).Distinct().ShouldBe(["Eval00", "Eval01", "Eval02", "Eval03", "Eval04"]);
        built.Manifest.Classes.Where(c => c.Split == "validation").Select(c => c.Unit).Distinct().Count().ShouldBe(2);
        built.Quarantined.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_part_of_omniglot_is_divided_like_any_folders_of_classes()
    {
        sandbox.Put("images_background.zip", TestArchives.Zip(PublishedDrops.Omniglot().Background));

        var built = await sandbox.BuildWell();

        built.Manifest.Layout.ShouldBeNull();
        built.Manifest.Split.Reason.ShouldBe("classes lie in 10 first folders, so the test is on folders never seen");
    }

    [Fact]
    public async Task A_local_copy_is_read_with_its_split_and_its_roles()
    {
        var archive = Path.Combine(sandbox.Root, "market.zip");
        await File.WriteAllBytesAsync(archive, TestArchives.Zip(PublishedDrops.Market()));

        using var images = await DropReader.ReadLocal(archive, sandbox.Options, CancellationToken.None);

        images.Recognised.ShouldBe("Market-1501");
        Enumerable.Range(0, images.Count).CountBy(i => (images.Split(i), images.Role(i))).ToDictionary().ShouldBe(
            new Dictionary<(string?, string?), int> { [("train", null)] = 18, [("test", "query")] = 15, [("test", "gallery")] = 18 }, ignoreOrder: true);
        Enumerable.Range(0, images.Count).ShouldAllBe(i => images.Camera(i) >= 1);
    }

    private async Task<IReadOnlyList<DatasetSample>> Samples()
    {
        using var reader = await DatasetReader.Open(sandbox.Store, DropSandbox.Dataset, 1, CancellationToken.None);
        return reader.Samples;
    }
}
