using System.Text;

namespace DmlPipeline.Tests.Services.Ingestion.Layouts;

using Members = List<(string Path, byte[] Bytes)>;

/// <summary>The files of published datasets in small: their names and forms, with made-up pictures.</summary>
internal static class PublishedDrops
{
    public static Members Cub(int classes, int imagesEach, string root = "CUB_200_2011/")
    {
        var (members, images, labels, names) = (new Members(), new StringBuilder(), new StringBuilder(), new StringBuilder());
        var number = 0;
        for (var c = 1; c <= classes; c++)
        {
            names.Append($"{c} {c:000}.Bird_{c}\n");
            for (var i = 0; i < imagesEach; i++)
            {
                var path = $"{c:000}.Bird_{c}/Bird_{c}_{i:0000}_{number}.jpg";
                images.Append($"{++number} {path}\n");
                labels.Append($"{number} {c}\n");
                members.Add(($"{root}images/{path}", TestImages.Png(number)));
            }
        }
        members.Add(($"{root}images.txt", Bytes(images)));
        members.Add(($"{root}image_class_labels.txt", Bytes(labels)));
        members.Add(($"{root}classes.txt", Bytes(names)));
        members.Add(($"{root}train_test_split.txt", "1 1\n"u8.ToArray()));
        members.Add(("attributes.txt", "1 has_bill_shape::curved\n"u8.ToArray()));
        return members;
    }

    public static (Members Images, byte[] Annotations) Cars(int classes, int imagesEach)
    {
        var images = Enumerable.Range(0, classes * imagesEach).Select(i => ($"car_ims/{i + 1:000000}.jpg", TestImages.Png(20_000 + i))).ToList();
        var cars = images.Select((image, i) => new[]
        {
            MatWriter.Text(image.Item1), MatWriter.Number(112), MatWriter.Number(7), MatWriter.Number(853), MatWriter.Number(717), MatWriter.Number(i / imagesEach + 1), MatWriter.Number(i % 2),
        });
        return (images, MatWriter.File(
            MatWriter.Compressed(MatWriter.Struct(["relative_im_path", "bbox_x1", "bbox_y1", "bbox_x2", "bbox_y2", "class", "test"], cars, "annotations")),
            MatWriter.Compressed(MatWriter.Cell(Enumerable.Range(1, classes).Select(c => MatWriter.Text(CarName(c))), "class_names"))));
    }

    public static Members CarsInTwoParts(int classes)
    {
        var members = new Members();
        foreach (var (part, file, first) in new[] { ("cars_train", "cars_train_annos.mat", 0), ("cars_test", "cars_test_annos_withlabels.mat", 1_000) })
        {
            var cars = Enumerable.Range(1, classes * 2).Select(i => new[] { MatWriter.Number((i + 1) / 2), MatWriter.Text($"{i:00000}.jpg") });
            members.AddRange(Enumerable.Range(1, classes * 2).Select(i => ($"{part}/{i:00000}.jpg", TestImages.Png(30_000 + first + i))));
            members.Add(($"devkit/{file}", MatWriter.File(MatWriter.Compressed(MatWriter.Struct(["class", "fname"], cars, "annotations")))));
        }
        members.Add(("devkit/cars_meta.mat", MatWriter.File(MatWriter.Cell(Enumerable.Range(1, classes).Select(c => MatWriter.Text(CarName(c))), "class_names"))));
        return members;
    }

    public static string CarName(int number) => $"Car {number} C/V 2012";

    public static Members OnlineProducts()
    {
        var (members, number) = (new Members(), 0);
        foreach (var (file, first) in new[] { ("Ebay_train.txt", 1), ("Ebay_test.txt", 11) })
        {
            var lines = new StringBuilder("image_id class_id super_class_id path\n");
            for (var product = first; product < first + 6; product++)
            {
                for (var i = 0; i < 2; i++)
                {
                    var kind = product % 2 == 0 ? "bicycle" : "coffee_maker";
                    lines.Append($"{++number} {product} {product % 2 + 1} {kind}_final/1110{product:00}_{i}.JPG\n");
                    members.Add(($"Stanford_Online_Products/{kind}_final/1110{product:00}_{i}.JPG", TestImages.Png(40_000 + number)));
                }
            }
            members.Add(($"Stanford_Online_Products/{file}", Bytes(lines)));
        }
        return members;
    }

    public static Members InShop()
    {
        var (members, lines) = (new Members(), new StringBuilder("24\nimage_name item_id evaluation_status\n"));
        for (var item = 1; item <= 12; item++)
        {
            foreach (var (view, status) in new[] { ("1_front", item <= 6 ? "train" : "query"), ("2_side", item <= 6 ? "train" : "gallery") })
            {
                var path = $"img/WOMEN/Blouses_Shirts/id_{item:00000000}/02_{view}.jpg";
                lines.Append($"{path}      id_{item:00000000} {status}\n");
                members.Add(($"In-shop/Img/{path}", TestImages.Png(50_000 + item * 10 + view[0])));
            }
        }
        members.Add(("In-shop/Eval/list_eval_partition.txt", Bytes(lines)));
        return members;
    }

    public static Members Market()
    {
        var names = new List<string> { "gt_bbox/0001_c1s1_001051_00.jpg", "bounding_box_test/-1_c2s1_000401_03.jpg", "bounding_box_test/-1_c3s1_000401_03.jpg" };
        for (var camera = 1; camera <= 3; camera++)
        {
            names.Add($"bounding_box_test/0000_c{camera}s1_000151_01.jpg");
            for (var person = 1; person <= 5; person++) names.Add($"query/{person:0000}_c{camera}s1_001051_00.jpg");
            for (var person = 1; person <= 5; person++) names.Add($"bounding_box_test/{person:0000}_c{camera}s2_001051_0{camera}.jpg");
            for (var person = 101; person <= 106; person++) names.Add($"bounding_box_train/{person:0000}_c{camera}s1_000451_03.jpg");
        }
        return [.. names.Select((name, i) => ($"Market-1501-v15.09.15/{name}", TestImages.Png(60_000 + i)))];
    }

    public static (Members Background, Members Evaluation) Omniglot() =>
        (Alphabets("images_background/Back", 10, 70_000), Alphabets("images_evaluation/Eval", 5, 90_000));

    private static Members Alphabets(string prefix, int alphabets, int seed) => [.. Enumerable.Range(0, alphabets).SelectMany(
        alphabet => TestImages.Classes(2, 2, $"{prefix}{alphabet:00}/character", seed + alphabet * 2_000))];

    private static byte[] Bytes(StringBuilder text) => Encoding.UTF8.GetBytes(text.ToString());
}
