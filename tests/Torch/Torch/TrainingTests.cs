using DmlPipeline.Torch;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Tests.Torch.Torch;

public sealed class TrainingTests
{
    private const double Rounding = 1e-6;

    private static readonly Dictionary<string, Func<nn.Module, IStepper>> Optimisers = new(StringComparer.Ordinal)
    {
        ["adamw"] = m => new Plain(optim.AdamW(m.parameters(), 1e-2, weight_decay: 0.05)),
        ["adamw foreach"] = m => new Many(new ForeachAdamW([new ParameterGroup([.. m.parameters()], 1e-2, 0.05)])),
        ["adam"] = m => new Plain(optim.Adam(m.parameters(), 1e-2, weight_decay: 0.01, amsgrad: true)),
        ["damped foreach"] = m => new Many(new ForeachAdam([new ParameterGroup([.. m.parameters()], 1e-2, 0.01)], eps: 0.01)),
        ["rmsprop foreach"] = m => new Many(new ForeachRmsprop([new ParameterGroup([.. m.parameters()], 1e-3, 0.01)], momentum: 0.9)),
        ["still foreach"] = m => new Many(new ForeachRmsprop([new ParameterGroup([.. m.parameters()], 1e-3, 0)], eps: 1e-4)),
        ["sgd"] = m => new Plain(optim.SGD(m.parameters(), 0.05, 0.9, weight_decay: 1e-3)),
        ["sgd foreach"] = m => new Many(new ForeachSgd([new ParameterGroup([.. m.parameters()], 0.05, 1e-3)])),
        ["nesterov"] = m => new Plain(optim.SGD(m.parameters(), 0.05, 0.9, weight_decay: 1e-3, nesterov: true)),
        ["nesterov foreach"] = m => new Many(new ForeachSgd([new ParameterGroup([.. m.parameters()], 0.05, 1e-3)], nesterov: true)),
        ["plain"] = m => new Plain(optim.SGD(m.parameters(), 0.05)),
        ["plain foreach"] = m => new Many(new ForeachSgd([new ParameterGroup([.. m.parameters()], 0.05, 0)], 0)),
    };

    public TrainingTests() => TorchRuntime.Initialize(1);

    private interface IStepper : IDisposable
    {
        void ZeroGrad();

        void Step();
    }

    public static TheoryData<string> OptimiserNames => [.. Optimisers.Keys];

    [Fact]
    public void The_same_seed_gives_PyTorchs_start_weights()
    {
        using var net = Network();

        foreach (var (name, value) in net.state_dict()) Golden.ShouldBe(value, $"net.start.{name}", 0);
    }

    [Fact]
    public void Outputs_loss_and_gradients_are_PyTorchs()
    {
        using var net = Network();
        using var scope = NewDisposeScope();

        var (embedding, loss) = LossOf(net);
        loss.backward();

        Golden.ShouldBe(embedding, "net.embedding", Rounding);
        Golden.ShouldBe(loss, "net.loss", Rounding);
        foreach (var (name, parameter) in net.named_parameters()) Golden.ShouldBe(parameter.grad!, $"net.grad.{name}", Rounding);
    }

    [Theory]
    [MemberData(nameof(OptimiserNames))]
    public void Five_steps_end_where_PyTorch_ends(string optimiser)
    {
        using var net = Network();
        using var stepper = Optimisers[optimiser](net);
        using var scope = NewDisposeScope();

        var losses = Enumerable.Range(0, 5).Select(_ => TrainStep(net, stepper)).ToArray();

        var key = optimiser.Split(' ')[0];
        Golden.ShouldBe(tensor(losses), $"{key}.losses", 1e-5);
        foreach (var (name, value) in net.state_dict()) Golden.ShouldBe(value, $"{key}.end.{name}", 1e-5);
        net.eval();
        Golden.ShouldBe(net.call(Golden.Get("net.pictures")), $"{key}.eval", 1e-5);
    }

    [Fact]
    public void Gradients_are_clipped_as_PyTorch_clips_them()
    {
        using var net = Network();
        using var scope = NewDisposeScope();
        LossOf(net).Loss.backward();

        var norm = nn.utils.clip_grad_norm_(net.parameters(), 0.1);

        norm.ShouldBe(Golden.Get("clip.norm").item<float>(), 1e-4);
        Golden.ShouldBe(net.parameters().First().grad!, "clip.grad", Rounding);
    }

    [Fact]
    public void Channels_last_changes_the_layout_and_not_the_numbers()
    {
        using var net = Network();
        using var scope = NewDisposeScope();

        net.ToChannelsLast();
        var pictures = Golden.Get("net.pictures").ChannelsLast();
        var (embedding, loss) = LossOf(net, pictures);
        loss.backward();

        var weight = net.get_parameter("0.weight")!;
        weight.stride().ShouldBe([9, 1, 3, 1]);
        weight.requires_grad.ShouldBeTrue();
        Golden.ShouldBe(embedding, "net.embedding", 1e-5);
        Golden.ShouldBe(weight.grad!, "net.grad.0.weight", 1e-4); // other kernels, other order of summation
    }

    [Fact]
    public void One_thread_gives_the_same_bits_twice()
    {
        byte[] Train()
        {
            using var net = Network();
            using var stepper = Optimisers["adamw foreach"](net);
            for (var i = 0; i < 10; i++) TrainStep(net, stepper);
            using var file = new MemoryStream();
            Safetensors.Write(file, net.state_dict());
            return file.ToArray();
        }

        Train().ShouldBe(Train());
    }

    [Fact]
    public void No_tensor_is_left_after_a_hundred_steps()
    {
        Golden.Get("net.pictures"); // loaded before the count
        var before = LiveTensors.Settled();
        var afterFirst = 0L;
        using (var net = Network())
        using (var stepper = Optimisers["adamw foreach"](net))
        {
            for (var i = 0; i < 100; i++)
            {
                TrainStep(net, stepper);
                if (i == 0) afterFirst = TorchRuntime.LiveTensors;
            }
            TorchRuntime.LiveTensors.ShouldBe(afterFirst);
        }

        TorchRuntime.LiveTensors.ShouldBe(before);
    }

    [Fact]
    public void An_optimiser_goes_on_from_its_saved_state()
    {
        using var scope = NewDisposeScope();
        using var whole = Network();
        using var first = new ForeachAdamW([new ParameterGroup([.. whole.parameters()], 1e-2, 0.05)]);
        for (var i = 0; i < 3; i++) TrainStep(whole, new Many(first));
        using var resumed = Network();
        resumed.load_state_dict(whole.state_dict());
        using var second = new ForeachAdamW([new ParameterGroup([.. resumed.parameters()], 1e-2, 0.05)]);

        second.LoadState(first.State());
        TrainStep(whole, new Many(first));
        TrainStep(resumed, new Many(second));

        foreach (var (mine, other) in whole.parameters().Zip(resumed.parameters())) Golden.LargestDifference(mine, other).ShouldBe(0);
        Should.Throw<InvalidDataException>(() => second.LoadState(new Dictionary<string, Tensor> { ["9.9.step"] = zeros(1) }));
    }

    [Fact]
    public void Parameters_without_a_gradient_are_left_alone()
    {
        using var scope = NewDisposeScope();
        var moving = new Parameter(ones(2));
        var resting = new Parameter(ones(2));
        using var optimiser = new ForeachAdamW([new ParameterGroup([moving, resting], 0.1, 0.1)]);

        moving.grad = ones(2);
        optimiser.Step();

        resting.data<float>().ToArray().ShouldBe([1, 1]);
        moving.data<float>().ToArray().ShouldNotBe([1, 1]);
    }

    private static Sequential Network()
    {
        manual_seed(7);
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, padding: 1, bias: false),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 6, 3, stride: 2, padding: 1),
            nn.ReLU(),
            nn.BatchNorm2d(6),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(6, 5));
    }

    private static (Tensor Embedding, Tensor Loss) LossOf(Sequential net, Tensor? pictures = null)
    {
        var embedding = F.normalize(net.call(pictures ?? Golden.Get("net.pictures")));
        return (embedding, F.cross_entropy(embedding.matmul(Golden.Get("net.prototypes")) * 10, Golden.Get("net.labels"), label_smoothing: 0.1));
    }

    private static float TrainStep(Sequential net, IStepper stepper)
    {
        using var scope = NewDisposeScope();
        stepper.ZeroGrad();
        var (_, loss) = LossOf(net);
        loss.backward();
        stepper.Step();
        return loss.item<float>();
    }

    private sealed class Plain(optim.Optimizer optimizer) : IStepper
    {
        public void ZeroGrad() => optimizer.zero_grad();

        public void Step() => optimizer.step();

        public void Dispose() => optimizer.Dispose();
    }

    private sealed class Many(ForeachOptimizer optimizer) : IStepper
    {
        public void ZeroGrad() => optimizer.ZeroGrad();

        public void Step() => optimizer.Step();

        public void Dispose() => optimizer.Dispose();
    }
}
