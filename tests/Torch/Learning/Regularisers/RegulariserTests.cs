using System.Text.Json;
using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Learning.Regularisers;
using TorchSharp;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Regularisers;

/// <summary>Against the definitions as loops.</summary>
public sealed class RegulariserTests
{
    private const int Rows = 9, Dimensions = 4, PerClass = 3;
    private static readonly long[] Labels = [0, 0, 0, 1, 1, 2, 2, 3, 3];

    public static TheoryData<string> Names => [.. RegulariserCatalogue.Names];

    public static TheoryData<string> Variants => [.. RegulariserCatalogue.Names, "lp-norm p 1", "lp-norm p 3", "lp-norm power 2", "threshold-consistent-margin positive_weight 0.5", "threshold-consistent-margin negative_margin 0"];

    [Theory]
    [MemberData(nameof(Variants))]
    public void Value_and_slope_equal_the_definition(string variant)
    {
        using var scope = NewDisposeScope();
        var settings = Settings(variant);
        var random = new Random(3);
        var x = Enumerable.Range(0, Rows * Dimensions).Select(_ => (random.NextDouble() * 4) - 2).ToArray();
        var (value, gradient) = Run(settings, x);

        value.ShouldBe(Definition(settings, x), 1e-9);
        const double h = 1e-6;
        for (var i = 0; i < x.Length; i++)
        {
            double At(double shift)
            {
                var moved = x.ToArray();
                moved[i] += shift;
                return Definition(settings, moved);
            }
            gradient[i].ShouldBe((At(h) - At(-h)) / (2 * h), 1e-6, $"element {i}");
        }
    }

    /// <summary>Against make_parity_golden.py: pytorch-metric-learning itself.</summary>
    [Fact]
    public void Value_and_slope_equal_the_peer()
    {
        using var document = JsonDocument.Parse(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Learning", "Regularisers", "regularisers-golden.json")));
        double[] Numbers(JsonElement @case, string name) => [.. @case.GetProperty(name).EnumerateArray().Select(number => number.GetDouble())];
        foreach (var @case in document.RootElement.EnumerateArray())
        {
            using var scope = NewDisposeScope();
            var options = @case.GetProperty("regulariser").EnumerateObject().Where(option => option.Name != "name").ToDictionary(option => option.Name, option => (object)option.Value.GetDouble());
            var settings = new RegulariserSettings(@case.GetProperty("regulariser").GetProperty("name").GetString()!, options);
            var x = tensor(Numbers(@case, "values"), ScalarType.Float64).reshape(@case.GetProperty("rows").GetInt32(), -1).requires_grad_();

            var terms = settings.Entry.OfFeatures is { } ofFeatures
                ? ofFeatures(settings, LossInput.Batch(x, tensor(Numbers(@case, "labels").Select(label => (long)label).ToArray())))
                : settings.Entry.OfClassWeights!(settings, x, @case.GetProperty("per_class").GetInt32());
            var value = terms.Mean();
            value.backward();

            value.item<double>().ShouldBe(@case.GetProperty("value").GetDouble(), 1e-9, settings.Name);
            x.grad!.data<double>().ToArray().ShouldBe(Numbers(@case, "gradient"), 1e-9, settings.Name);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Equal_zero_huge_and_no_rows_give_finite_values_and_slopes(string name)
    {
        var settings = Settings(name);
        foreach (var x in new[] { Repeated(1), Repeated(0), Repeated(1e6), Repeated(-1e-7), [] })
        {
            using var scope = NewDisposeScope();
            if (x.Length == 0 && settings.Entry.OfClassWeights is not null) continue; // there is always a class
            var (value, gradient) = Run(settings, x);

            double.IsFinite(value).ShouldBeTrue();
            gradient.ShouldAllBe(g => double.IsFinite(g));
            if (x.Length == 0) value.ShouldBe(0);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Chunks_of_anchors_add_up_to_the_whole(string name)
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var entry = RegulariserCatalogue.Find(name)!;
        if (entry.OfFeatures is not { } ofFeatures || !entry.IsSumOverAnchors) return;
        var input = LossInput.Batch(randn([Rows, Dimensions]).to(ScalarType.Float64), tensor(Labels));

        var chunks = new[] { input.Chunk(0, 4), input.Chunk(4, 5) }.Select(part => ofFeatures(Settings(name), part)).ToList();

        chunks.Sum(chunk => chunk.Values.sum().item<double>()).ShouldBe(ofFeatures(Settings(name), input).Values.sum().item<double>(), 1e-9);
    }

    [Fact]
    public void One_class_has_no_other_to_be_far_from()
    {
        using var scope = NewDisposeScope();

        ClassWeightRegularisers.RegularFace(ones([1, 4])).sum().item<float>().ShouldBe(0);
        ClassWeightRegularisers.SparseCentres(ones([3, 4]), 1).Mean().item<float>().ShouldBe(0);
        SpreadOut.Of(LossInput.Batch(randn([4, 3]), tensor(new long[] { 2, 2, 2, 2 }))).Mean().item<float>().ShouldBe(0);
    }

    [Fact]
    public void The_nearest_class_is_found_among_thousands()
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        var weights = randn([2500, 8]).to(ScalarType.Float64);
        var unit = nn.functional.normalize(weights);

        var expected = (unit.matmul(unit.t()) - (eye(2500).to(ScalarType.Float64) * 3)).amax([1]);

        (ClassWeightRegularisers.RegularFace(weights) - expected).abs().max().item<double>().ShouldBe(0, 1e-12);
    }

    private static RegulariserSettings Settings(string variant)
    {
        var words = variant.Split(' ');
        return new RegulariserSettings(words[0], words.Length == 1 ? null : new Dictionary<string, object> { [words[1]] = double.Parse(words[2]) });
    }

    private static double[] Repeated(double value) => [.. Enumerable.Repeat(value, Rows * Dimensions)];

    private static (double Value, double[] Gradient) Run(RegulariserSettings settings, double[] x)
    {
        var f = tensor(x, ScalarType.Float64).reshape(x.Length / Dimensions, Dimensions).requires_grad_();
        var terms = settings.Entry.OfFeatures is { } ofFeatures
            ? ofFeatures(settings, LossInput.Batch(f, tensor(Labels[..(x.Length / Dimensions)])))
            : settings.Entry.OfClassWeights!(settings, f, PerClass);
        var value = terms.Mean();
        value.backward();
        return (value.item<double>(), f.grad!.data<double>().ToArray());
    }

    private static double Definition(RegulariserSettings settings, double[] x)
    {
        var f = x.Chunk(Dimensions).ToArray();
        double Length(double[] v) => Math.Sqrt(v.Sum(a => a * a));
        double Cosine(double[] a, double[] b) => a.Zip(b, (u, v) => u * v).Sum() / Length(a) / Length(b);
        double Apart(double[] a, double[] b) => Math.Sqrt(Math.Max(0, 2 - (2 * Cosine(a, b))));
        var all = Enumerable.Range(0, f.Length).ToList();
        List<double> Cosines(bool same) => [.. all.SelectMany(i => all.Where(j => i != j && Labels[i] == Labels[j] == same).Select(j => Cosine(f[i], f[j])))];
        switch (settings.Name)
        {
            case "lp-norm":
                return f.Average(v => Math.Pow(Math.Pow(v.Sum(a => Math.Pow(Math.Abs(a), settings.Number("p"))), 1 / settings.Number("p")), settings.Number("power")));
            case "zero-mean":
                return f.Average(v => Math.Abs(v.Sum()));
            case "spherical":
                return f.Average(v => Math.Pow(Length(v) - f.Average(Length), 2));
            case "spread-out":
                var cosines = Cosines(same: false);
                return Math.Pow(cosines.Average(), 2) + Math.Max(0, cosines.Average(s => s * s) - (1.0 / Dimensions));
            case "intra-pair-variance":
                var (positives, negatives) = (Cosines(same: true), Cosines(same: false));
                return positives.Average(s => Math.Pow(Math.Max(0, ((1 - settings.Number("positive_slack")) * positives.Average()) - s), 2))
                    + negatives.Average(s => Math.Pow(Math.Max(0, s - ((1 + settings.Number("negative_slack")) * negatives.Average())), 2));
            case "threshold-consistent-margin":
                return (settings.Number("positive_weight") * Cosines(same: true).Select(s => settings.Number("positive_margin") - s).Where(low => low >= 0).DefaultIfEmpty().Average())
                    + (settings.Number("negative_weight") * Cosines(same: false).Select(s => s - settings.Number("negative_margin")).Where(high => high >= 0).DefaultIfEmpty().Average());
            case "centre-invariant":
                return f.Average(v => Math.Pow((Length(v) * Length(v)) - f.Average(w => Length(w) * Length(w)), 2) / 4);
            case "regular-face":
                return all.Average(i => all.Where(j => j / PerClass != i / PerClass).Max(j => Cosine(f[i], f[j])));
            case "sparse-centres":
                return all.Sum(i => all.Where(j => j > i && j / PerClass == i / PerClass).Sum(j => Apart(f[i], f[j]))) / (Rows / PerClass * PerClass * (PerClass - 1.0));
            default:
                throw new ArgumentException($"No definition of {settings.Name}.");
        }
    }
}
