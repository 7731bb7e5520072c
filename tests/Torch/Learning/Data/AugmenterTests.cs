using DmlPipeline.Learning.Data;

namespace DmlPipeline.Tests.Torch.Learning.Data;

public sealed class AugmenterTests
{
    private static readonly Augmentation Everything = new()
    {
        Rotate = 20, Scale = 0.2, Translate = 0.1, Shear = 10, Flip = 0.5, Crop = 0.5, Brightness = 0.3, Contrast = 0.3, Saturation = 0.3, Erase = 0.5,
    };

    public static TheoryData<int, int, int> Shapes => new() { { 1, 28, 28 }, { 3, 17, 33 }, { 1, 5, 3 }, { 3, 64, 64 } };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Nothing_changes_when_everything_is_off(int channels, int height, int width)
    {
        var shape = new ImageShape(channels, height, width);
        var image = PatternSet.Bytes(shape.Bytes, seed: 2);

        Apply(shape, Augmentation.None, image, step: 5, index: 1).ShouldBe(image);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void The_same_seed_step_and_place_give_the_same_image(int channels, int height, int width)
    {
        var shape = new ImageShape(channels, height, width);
        var image = PatternSet.Bytes(shape.Bytes, seed: 2);
        var used = new Augmenter(shape, Everything);
        var target = new byte[shape.Bytes];
        for (var i = 0; i < 50; i++) used.Apply(PatternSet.Bytes(shape.Bytes, i), target, seed: 9, step: 1, i);

        used.Apply(image, target, seed: 9, step: 5, index: 1);

        target.ShouldBe(Apply(shape, Everything, image, step: 5, index: 1), "a used augmenter and a fresh one agree");
        target.ShouldNotBe(Apply(shape, Everything, image, step: 6, index: 1));
        target.ShouldNotBe(Apply(shape, Everything, image, step: 5, index: 2));
    }

    [Fact]
    public void A_flip_mirrors_exactly()
    {
        var shape = new ImageShape(3, 11, 19);
        var image = PatternSet.Bytes(shape.Bytes, seed: 2);

        var flipped = Apply(shape, new Augmentation { Flip = 1 }, image, step: 0, index: 0);

        flipped.ShouldBe([.. image.Chunk(shape.Width).SelectMany(row => row.Reverse())]);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void A_blank_image_stays_blank_under_geometry(int channels, int height, int width)
    {
        var shape = new ImageShape(channels, height, width);
        var blank = Enumerable.Repeat((byte)201, shape.Bytes).ToArray();
        var geometry = Everything with { Brightness = 0, Contrast = 0, Saturation = 0 };

        for (var step = 0; step < 30; step++) Apply(shape, geometry, blank, step, 0).ShouldBe(blank);
    }

    [Fact]
    public void What_moves_in_from_outside_has_the_papers_colour()
    {
        var shape = new ImageShape(1, 20, 20);
        var image = Enumerable.Repeat((byte)240, shape.Bytes).ToArray();
        for (var y = 5; y < 15; y++) image.AsSpan((y * 20) + 5, 10).Clear();

        for (var step = 0; step < 50; step++)
        {
            var moved = Apply(shape, new Augmentation { Rotate = 45, Translate = 0.2, Scale = 0.3 }, image, step, 0);
            moved.Count(v => v == 240).ShouldBeGreaterThan(120, "the paper goes on beyond the edge");
            moved.Max().ShouldBe((byte)240);
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Sampling_agrees_with_bilinear_interpolation_in_double_precision(int channels, int height, int width)
    {
        var shape = new ImageShape(channels, height, width);
        var image = PatternSet.Bytes(shape.Bytes, seed: 6);
        byte[] paper = [.. Enumerable.Range(0, channels).Select(c => (byte)(40 + (60 * c)))];
        var random = new CounterRandom(8, 0);
        var sampler = new AffineSampler(shape);
        var target = new byte[shape.Bytes];

        for (var round = 0; round < 20; round++)
        {
            var map = AffineMap.Move(shape, random.Between(-90, 90), random.Between(0.6f, 1.6f), random.Between(-20, 20), random.Between(-4, 4), random.Between(-4, 4));
            sampler.Sample(image, target, map, paper, bordered: true);
            for (var i = 0; i < target.Length; i++)
            {
                var expected = Bilinear(shape, image, paper, map, i);
                // Random bytes are as steep as images get: 1/256 of a pixel is a level, in each direction.
                Math.Abs(target[i] - expected).ShouldBeLessThan(3.0);
            }
        }
    }

    [Fact]
    public void A_rotation_by_ninety_degrees_turns_the_image()
    {
        var shape = new ImageShape(1, 15, 15);
        var image = PatternSet.Bytes(shape.Bytes, seed: 6);
        var target = new byte[shape.Bytes];

        new AffineSampler(shape).Sample(image, target, AffineMap.Move(shape, 90, 1, 0, 0, 0), [0], bordered: true);

        for (var y = 0; y < 15; y++)
            for (var x = 0; x < 15; x++) ((int)target[(x * 15) + 14 - y]).ShouldBeInRange(image[(y * 15) + x] - 1, image[(y * 15) + x] + 1);
    }

    [Fact]
    public void A_crop_alone_never_shows_what_lies_outside()
    {
        var shape = new ImageShape(1, 24, 24);
        var image = Enumerable.Repeat((byte)100, shape.Bytes).ToArray();
        image[0] = image[23] = image[^1] = image[^24] = 255;

        for (var step = 0; step < 50; step++)
            Apply(shape, new Augmentation { Crop = 0.8 }, image, step, 0).Count(v => v != 100).ShouldBeLessThan(40);
    }

    [Fact]
    public void Erasing_paints_one_rectangle_of_bounded_size()
    {
        var shape = new ImageShape(1, 40, 40);
        var image = Enumerable.Repeat((byte)10, shape.Bytes).ToArray();
        image[0] = image[39] = image[^1] = image[^40] = 250;

        for (var step = 0; step < 50; step++)
        {
            var erased = Apply(shape, new Augmentation { Erase = 1 }, image, step, 0);
            (erased.Count(v => v == 250) / 1600.0).ShouldBeInRange(0.01, 0.23);
        }
    }

    [Fact]
    public void Brightness_scales_and_contrast_spreads_about_the_mean()
    {
        var shape = new ImageShape(1, 2, 2);
        byte[] image = [50, 100, 100, 150];
        var spans = new HashSet<int>();

        for (var step = 0; step < 50; step++)
        {
            var bright = Apply(shape, new Augmentation { Brightness = 0.4 }, image, step, 0);
            ((double)bright[3] / bright[0]).ShouldBe(3, 0.08);
            bright[1].ShouldBeInRange((byte)60, (byte)140);

            var contrast = Apply(shape, new Augmentation { Contrast = 0.4 }, image, step, 0);
            contrast[1].ShouldBe((byte)100, "the mean stays");
            spans.Add(contrast[3] - contrast[0]);
        }
        spans.Count.ShouldBeGreaterThan(20);
        spans.ShouldAllBe(span => span >= 60 && span <= 140);
    }

    [Fact]
    public void Saturation_leaves_grey_pixels_and_the_brightness_alone()
    {
        var shape = new ImageShape(3, 1, 2);
        byte[] image = [120, 200, 120, 100, 120, 50];

        for (var step = 0; step < 20; step++)
        {
            var changed = Apply(shape, new Augmentation { Saturation = 0.5 }, image, step, 0);
            new[] { changed[0], changed[2], changed[4] }.ShouldAllBe(v => v == 120);
            ((0.299 * changed[1]) + (0.587 * changed[3]) + (0.114 * changed[5])).ShouldBe(124.2, 2);
        }
    }

    [Fact]
    public void Values_out_of_range_are_named_with_what_is_allowed()
    {
        var problems = new Augmentation { Rotate = 200, Flip = -0.1, Crop = double.NaN }.Problems();

        problems.Count.ShouldBe(3);
        problems[0].ShouldBe("augmentation.rotate is degrees from 0 to 180, not 200.");
    }

    private static byte[] Apply(ImageShape shape, Augmentation augmentation, byte[] image, long step, int index)
    {
        var target = new byte[shape.Bytes];
        new Augmenter(shape, augmentation).Apply(image, target, seed: 9, step, index);
        return target;
    }

    private static double Bilinear(ImageShape shape, byte[] image, byte[] paper, AffineMap map, int i)
    {
        int x = i % shape.Width, y = i / shape.Width % shape.Height, c = i / (shape.Width * shape.Height);
        double sx = ((double)map.Xx * x) + ((double)map.Xy * y) + map.X0, sy = ((double)map.Yx * x) + ((double)map.Yy * y) + map.Y0;
        double fx = Math.Floor(sx), fy = Math.Floor(sy), wx = sx - fx, wy = sy - fy;
        return ((1 - wy) * (((1 - wx) * At(fx, fy)) + (wx * At(fx + 1, fy)))) + (wy * (((1 - wx) * At(fx, fy + 1)) + (wx * At(fx + 1, fy + 1))));

        double At(double column, double row) => column < 0 || row < 0 || column >= shape.Width || row >= shape.Height
            ? paper[c] : image[(((c * shape.Height) + (int)row) * shape.Width) + (int)column];
    }
}
