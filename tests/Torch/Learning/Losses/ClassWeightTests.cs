using DmlPipeline.Learning.Losses;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Torch;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Learning.Losses;

/// <summary>What must hold for every loss with class weights: sampled classes (Partial FC), and where the weights begin.</summary>
public sealed class ClassWeightTests
{
    private const int Dimensions = 8;
    private static readonly long[] Labels = [3, 3, 7, 7, 7, 30, 12, 12, 39];

    public static TheoryData<string> Names => [.. Sampling];

    private static IEnumerable<string> Sampling => LossCatalogue.All.Where(entry => entry.Options.Any(option => option.Name == "sampled_classes")).Select(entry => entry.Name);

    [Fact]
    public void Every_loss_that_learns_from_class_weights_can_sample_them() =>
        // Manifold's proxies are fewer than the classes, and all take part in the walk.
        LossCatalogue.All.Where(entry => !entry.LearnsFromPairs && entry.Name != "manifold").Select(entry => entry.Name).ShouldBe(Sampling);

    [Theory]
    [MemberData(nameof(Names))]
    public void A_sample_of_every_class_gives_the_full_loss_and_its_gradients(string name)
    {
        using var scope = NewDisposeScope();
        using var full = Create(name, classes: 40);
        using var sampled = Create(name, classes: 40, share: 0.9999);
        Copy(full, sampled);
        var (x, y) = (Features(), Features());

        var expected = full.Compute(LossInput.Batch(x, tensor(Labels)));
        expected.backward();
        var actual = sampled.Compute(LossInput.Batch(y, tensor(Labels)));
        actual.backward();

        sampled.ClassWeights!.IsSampled.ShouldBeTrue();
        actual.item<double>().ShouldBe(expected.item<double>(), 1e-9);
        y.grad!.data<double>().ToArray().ShouldBe(x.grad!.data<double>().ToArray(), 1e-9);
        sampled.ClassWeights.RowGradients.Count.ShouldBe(full.ClassWeights!.Parameters.Count);
        foreach (var (parameter, rows, gradient) in sampled.ClassWeights.RowGradients)
        {
            rows.data<long>().ToArray().ShouldBe(Enumerable.Range(0, (int)parameter.shape[0]).Select(row => (long)row));
            var whole = full.Parameters[sampled.Parameters.Single(entry => ReferenceEquals(entry.Value, parameter)).Key];
            gradient.data<float>().ToArray().ShouldBe(whole.grad!.data<float>().ToArray(), 1e-5);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_sample_gives_the_loss_of_a_world_that_has_only_these_classes(string name)
    {
        using var scope = NewDisposeScope();
        using var loss = Create(name, classes: 40, share: 0.25);
        var input = LossInput.Batch(Features(), tensor(Labels));
        manual_seed(21);
        var (labels, weights, _) = loss.ClassWeights!.For(input);
        manual_seed(21);
        var actual = loss.Compute(input).item<double>();

        using var small = Create(name, classes: 10);
        using (no_grad()) small.Parameters["weights"].copy_(weights);
        small.Compute(LossInput.Batch(input.Anchors, labels)).item<double>().ShouldBe(actual, 1e-9);
    }

    [Fact]
    public void A_sample_holds_the_classes_of_the_batch_and_others_that_change()
    {
        using var scope = NewDisposeScope();
        var weights = new ClassWeights(40, Dimensions, perClass: 2, deviation: 1, hasBias: false, share: 0.25, CPU);
        var others = new HashSet<long>();
        var input = LossInput.Batch(Features(), tensor(Labels));
        for (var draw = 0; draw < 100; draw++)
        {
            var (labels, part, _) = weights.For(input);
            part.shape.ShouldBe([20, Dimensions]);
            var rows = Rows(part, weights.Parameters["weights"]);
            for (var i = 0; i < rows.Length; i += 2)
            {
                // Both weights of a class, the one after the other.
                (rows[i] % 2).ShouldBe(0);
                rows[i + 1].ShouldBe(rows[i] + 1);
            }
            labels.data<long>().ToArray().Select(place => rows[place * 2] / 2).ShouldBe(Labels);
            others.UnionWith(rows.Select(row => row / 2));
        }
        others.Count.ShouldBe(40);
        foreach (var parameter in weights.Parameters.Values) parameter.Dispose();
    }

    [Fact]
    public void A_batch_of_more_classes_than_the_share_meets_all_of_its_own()
    {
        using var scope = NewDisposeScope();
        var weights = new ClassWeights(40, Dimensions, 1, 1, hasBias: true, share: 0.01, CPU);

        var (labels, part, bias) = weights.For(LossInput.Batch(Features(), tensor(Labels)));

        Rows(part, weights.Parameters["weights"]).ShouldBe([3, 7, 12, 30, 39]);
        labels.data<long>().ToArray().ShouldBe([0, 0, 1, 1, 1, 3, 2, 2, 4]);
        bias!.shape.ShouldBe([5]);
        foreach (var parameter in weights.Parameters.Values) parameter.Dispose();
    }

    [Fact]
    public void A_tenth_of_100_000_classes_takes_the_memory_of_10_000_classes()
    {
        var sampled = Allocated(classes: 100_000, share: 0.1);

        // Besides, a copy of the sampled weights (a quarter more here) and a few numbers for each class: its rank in the draw and its place in the sample.
        sampled.ShouldBeLessThan((long)(1.4 * Allocated(classes: 10_000, share: 1)));
        // Far from the 25.6 MB that each of the loss's matrices [batch, classes] would take, and the 51.2 MB of a gradient of all weights.
        sampled.ShouldBeLessThan(100_000_000);
    }

    [Fact]
    public void A_step_moves_the_sampled_classes_and_no_other()
    {
        const int classes = 100_000, dimensions = 128;
        using var scope = NewDisposeScope();
        using var loss = LossCatalogue.Create(Arcface(0.1), classes, dimensions, CPU);
        var weights = loss.Parameters["weights"];
        var before = weights.detach().clone();
        using var optimiser = new ForeachAdamW([new ParameterGroup([weights], 0.1, 0)]);

        loss.Compute(LossInput.Batch(randn([64, dimensions]).requires_grad_(), randint(0, classes, [64]))).backward();
        var gradient = loss.ClassWeights!.RowGradients.ShouldHaveSingleItem();
        optimiser.StepRows([gradient]);

        weights.grad.ShouldBeNull();
        gradient.Gradient.shape.ShouldBe([classes / 10, dimensions]);
        var moved = weights.detach().ne(before).any(1);
        moved.index_select(0, gradient.Rows).all().item<bool>().ShouldBeTrue();
        moved.to(ScalarType.Int64).sum().item<long>().ShouldBe(classes / 10);
    }

    [Fact]
    public void Weights_begin_at_the_directions_of_their_classes_and_several_of_a_class_around_it()
    {
        using var scope = NewDisposeScope();
        var means = randn([3, Dimensions]) * 5;
        var directions = torch.nn.functional.normalize(means);
        foreach (var perClass in new[] { 1, 4 })
        {
            var weights = new ClassWeights(3, Dimensions, perClass, 1, hasBias: false, share: 1, CPU);

            weights.BeginAt(means);

            var cosines = weights.Parameters["weights"].detach().matmul(directions.t()).reshape(3, perClass, 3);
            for (var c = 0; c < 3; c++)
                for (var k = 0; k < perClass; k++) cosines[c, k, c].item<float>().ShouldBeInRange(perClass == 1 ? 0.9999f : 0.97f, 1.0001f);
            if (perClass > 1) weights.Parameters["weights"][0].allclose(weights.Parameters["weights"][1]).ShouldBeFalse();
            foreach (var parameter in weights.Parameters.Values) parameter.Dispose();
        }
    }

    [Fact]
    public void Centres_go_their_share_of_the_way_to_the_images_of_their_class()
    {
        using var scope = NewDisposeScope();
        using var loss = Create("centre", classes: 40);
        var x = Features().detach();
        var centres = new double[40, Dimensions];
        for (var step = 0; step < 3; step++)
        {
            loss.AfterStep(LossInput.Batch(x, tensor(Labels)));
            // The rule of the paper, image by image.
            var before = (double[,])centres.Clone();
            foreach (var label in Labels.Distinct())
            {
                for (var d = 0; d < Dimensions; d++)
                {
                    var own = Enumerable.Range(0, Labels.Length).Where(i => Labels[i] == label).ToList();
                    centres[label, d] -= 0.5 * own.Sum(i => before[label, d] - x[i, d].item<double>()) / (1 + own.Count);
                }
            }
        }

        var actual = loss.Buffers["centres"].data<float>().ToArray();
        for (var i = 0; i < actual.Length; i++) ((double)actual[i]).ShouldBe(centres[i / Dimensions, i % Dimensions], 1e-6);
    }

    [Fact]
    public void The_pull_to_the_centres_is_half_the_squared_distance()
    {
        using var scope = NewDisposeScope();
        using var loss = Create("centre", classes: 40);
        var x = Features();
        loss.AfterStep(LossInput.Batch(x, tensor(Labels)));

        var pulls = loss.Terms(LossInput.Batch(x, tensor(Labels)))[1].Values.data<double>().ToArray();

        for (var i = 0; i < Labels.Length; i++)
        {
            var squared = Enumerable.Range(0, Dimensions).Sum(d => Math.Pow(x[i, d].item<double>() - loss.Buffers["centres"][Labels[i], d].item<float>(), 2));
            pulls[i].ShouldBe(0.003 / 2 * squared, 1e-9);
        }
    }

    [Fact]
    public void A_learned_scale_has_a_gradient_and_a_constant_one_is_no_parameter()
    {
        using var scope = NewDisposeScope();
        using var learned = Create("normface", classes: 40);
        using var constant = Create("l2-softmax", classes: 40);

        learned.Compute(LossInput.Batch(Features(), tensor(Labels))).backward();

        learned.Parameters["scale"].grad!.item<float>().ShouldNotBe(0);
        constant.Parameters.Keys.ShouldBe(["weights", "bias"]);
    }

    [Theory]
    [InlineData("adamw")]
    [InlineData("sgd")]
    public void A_step_of_all_rows_is_a_step(string name)
    {
        using var scope = NewDisposeScope();
        var values = randn([6, 3]);
        using var rowwise = new Parameter(values.clone());
        using var whole = new Parameter(values.clone());
        ParameterGroup Group(Parameter parameter) => new([parameter], 0.1, 0.01);
        using ForeachOptimizer first = name == "sgd" ? new ForeachSgd([Group(rowwise)]) : new ForeachAdamW([Group(rowwise)]);
        using ForeachOptimizer second = name == "sgd" ? new ForeachSgd([Group(whole)]) : new ForeachAdamW([Group(whole)]);
        for (var step = 0; step < 3; step++)
        {
            var gradient = randn([6, 3]);
            whole.grad = gradient.clone();
            second.Step();
            first.StepRows([new RowGradient(rowwise, arange(0, 6, 1, ScalarType.Int64), gradient)]);
        }

        rowwise.data<float>().ToArray().ShouldBe(whole.data<float>().ToArray());
    }

    [Fact]
    public void Rows_of_a_parameter_that_the_optimiser_does_not_have_are_refused()
    {
        using var scope = NewDisposeScope();
        using var parameter = new Parameter(zeros([2, 2]));
        using var optimiser = new ForeachAdamW([]);

        Should.Throw<ArgumentException>(() => optimiser.StepRows([new RowGradient(parameter, tensor(new long[] { 0 }), zeros([1, 2]))])).Message.ShouldContain("groups");
    }

    /// <summary>Bytes of every tensor that a loss makes of a batch on the way to its gradient, by their shapes; views counted as if they were copies.</summary>
    private static long Allocated(int classes, double share)
    {
        const int dimensions = 128, batch = 64;
        using var outer = NewDisposeScope();
        using var loss = LossCatalogue.Create(Arcface(share), classes, dimensions, CPU);
        var input = LossInput.Batch(randn([batch, dimensions]).requires_grad_(), randint(0, classes, [batch]));
        using var scope = NewDisposeScope();
        loss.Compute(input).backward();
        return scope.DisposablesView.OfType<Tensor>().Sum(made => made.numel() * made.element_size());
    }

    private static LossSettings Arcface(double share) => new("arcface", new Dictionary<string, object>(StringComparer.Ordinal) { ["sampled_classes"] = share });

    private static MetricLoss Create(string name, int classes, double share = 1)
    {
        manual_seed(7);
        return LossCatalogue.Create(new LossSettings(name, new Dictionary<string, object>(StringComparer.Ordinal) { ["sampled_classes"] = share }), classes, Dimensions, CPU);
    }

    private static Tensor Features()
    {
        manual_seed(8);
        return randn([Labels.Length, Dimensions]).to(ScalarType.Float64).requires_grad_();
    }

    private static void Copy(MetricLoss from, MetricLoss to)
    {
        using var noGradient = no_grad();
        foreach (var (name, parameter) in from.Parameters) to.Parameters[name].copy_(parameter);
    }

    /// <summary>Which rows of the whole a part is made of.</summary>
    private static long[] Rows(Tensor part, Tensor whole) => cdist(part.detach().to(ScalarType.Float64), whole.detach().to(ScalarType.Float64)).argmin(1).data<long>().ToArray();
}
