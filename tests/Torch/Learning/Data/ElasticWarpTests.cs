using DmlPipeline.Learning.Data;

namespace DmlPipeline.Tests.Torch.Learning.Data;

public sealed class ElasticWarpTests
{
    private static readonly ImageShape Shape = new(1, 21, 32);

    [Fact]
    public void A_place_moves_by_at_most_the_amount_and_much_like_its_neighbours()
    {
        var warp = new ElasticWarp(Shape);
        var moved = 0f;
        for (var seed = 0; seed < 20; seed++)
        {
            var random = new CounterRandom(seed, 0);
            warp.Draw(ref random, 0.1f);
            var (x, y) = Displacement(warp);
            for (var i = 0; i < x.Length; i++)
            {
                Math.Abs(x[i]).ShouldBeLessThanOrEqualTo(3.2f);
                Math.Abs(y[i]).ShouldBeLessThanOrEqualTo(2.1f);
                moved = Math.Max(moved, Math.Abs(x[i]));
                if (i % 32 == 0) continue;
                // A cubic B-spline's slope is at most the largest step of its lattice per cell: 2 × 3.2 pixels in 32 / 3.
                Math.Abs(x[i] - x[i - 1]).ShouldBeLessThan(0.61f);
            }
        }
        moved.ShouldBeGreaterThan(1.2f);
    }

    [Fact]
    public void Displacements_are_the_splines_of_the_shifts_drawn()
    {
        var random = new CounterRandom(5, 1, 2);
        var again = random;
        var warp = new ElasticWarp(Shape);
        warp.Draw(ref random, 0.2f);
        var lattice = new (double X, double Y)[36];
        for (var i = 0; i < 36; i++) lattice[i] = (0.2 * 32 * again.Between(-1, 1), 0.2 * 21 * again.Between(-1, 1));

        var (x, y) = Displacement(warp);

        for (var row = 0; row < 21; row++)
            for (var column = 0; column < 32; column++)
            {
                double sumX = 0, sumY = 0;
                for (var k = 0; k < 36; k++)
                {
                    // Lattice point k % 6 lies at cell k % 6 - 1.
                    var weight = Basis((((column + 0.5) / 32 * 3) - ((k % 6) - 1))) * Basis((((row + 0.5) / 21 * 3) - ((k / 6) - 1)));
                    (sumX, sumY) = (sumX + (weight * lattice[k].X), sumY + (weight * lattice[k].Y));
                }
                x[(row * 32) + column].ShouldBe((float)sumX, 1e-4f);
                y[(row * 32) + column].ShouldBe((float)sumY, 1e-4f);
            }
    }

    [Fact]
    public void A_bent_image_is_the_bilinear_interpolation_at_the_displaced_places()
    {
        var image = PatternSet.Bytes(Shape.Bytes, seed: 3);
        var warp = new ElasticWarp(Shape);
        var random = new CounterRandom(1, 1);
        warp.Draw(ref random, 0.15f);
        var (x, y) = Displacement(warp);
        var target = new byte[Shape.Bytes];

        new AffineSampler(Shape).Sample(image, target, AffineMap.Identity, [77], bordered: true, warp);

        for (var i = 0; i < target.Length; i++)
        {
            double px = (i % 32) + x[i], py = (i / 32) + y[i];
            int left = (int)Math.Floor(px), top = (int)Math.Floor(py);
            double wx = px - left, wy = py - top;
            var expected = ((1 - wy) * (((1 - wx) * At(left, top)) + (wx * At(left + 1, top)))) + (wy * (((1 - wx) * At(left, top + 1)) + (wx * At(left + 1, top + 1))));
            Math.Abs(target[i] - expected).ShouldBeLessThan(3.0);
        }

        double At(int column, int row) => column is < 0 or >= 32 || row is < 0 or >= 21 ? 77 : image[(row * 32) + column];
    }

    [Fact]
    public void Bending_changes_nothing_else_that_is_drawn()
    {
        var image = PatternSet.Bytes(Shape.Bytes, seed: 4);
        var plain = new Augmentation { Rotate = 20, Brightness = 0.3, Erase = 0.5 };
        byte[] without = new byte[Shape.Bytes], with = new byte[Shape.Bytes];
        for (var step = 0; step < 10; step++)
        {
            new Augmenter(Shape, plain).Apply(image, without, 1, step, 0);
            // So little that no pixel notices.
            new Augmenter(Shape, plain with { Elastic = 1e-7, Stretch = 1e-7 }).Apply(image, with, 1, step, 0);
            for (var i = 0; i < with.Length; i++) Math.Abs(with[i] - without[i]).ShouldBeLessThanOrEqualTo(2);
        }
    }

    [Fact]
    public void A_stretch_keeps_the_area()
    {
        var shape = new ImageShape(1, 64, 64);
        var map = AffineMap.Stretch(shape, 1.5f);
        ((double)((map.Xx * map.Yy) - (map.Xy * map.Yx))).ShouldBe(1, 1e-6);

        var square = new byte[shape.Bytes];
        for (var row = 22; row < 42; row++) square.AsSpan((row * 64) + 22, 20).Fill(255);
        var target = new byte[shape.Bytes];
        new AffineSampler(shape).Sample(square, target, map, [0], bordered: true);

        target.AsSpan(32 * 64, 64).ToArray().Count(v => v > 127).ShouldBe(30);
        Enumerable.Range(0, 64).Count(row => target[(row * 64) + 32] > 127).ShouldBeInRange(12, 14);
    }

    private static (float[] X, float[] Y) Displacement(ElasticWarp warp)
    {
        var (x, y) = (new float[21 * 32], new float[21 * 32]);
        Span<int> rowX = stackalloc int[32], rowY = stackalloc int[32];
        for (var row = 0; row < 21; row++)
        {
            warp.Row(row, rowX, rowY);
            for (var column = 0; column < 32; column++)
                (x[(row * 32) + column], y[(row * 32) + column]) = (rowX[column] / 65536f, rowY[column] / 65536f);
        }
        return (x, y);
    }

    // The uniform cubic B-spline about zero, from its definition by pieces.
    private static double Basis(double t) => Math.Abs(t) switch
    {
        < 1 and var a => (4 - (6 * a * a) + (3 * a * a * a)) / 6,
        < 2 and var a => Math.Pow(2 - a, 3) / 6,
        _ => 0,
    };
}
