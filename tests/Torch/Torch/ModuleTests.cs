using DmlPipeline.Torch;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Torch;

public sealed class ModuleTests
{
    [Fact]
    public void Fields_are_registered_under_their_names()
    {
        using var net = new Head(3, 2);

        net.named_parameters().Select(p => p.name).ShouldBe(["scale", "body.0.weight", "body.0.bias", "body.1.weight", "body.1.bias"]);
        net.named_buffers().Select(b => b.name).ShouldBe(["offset", "body.1.running_mean", "body.1.running_var", "body.1.num_batches_tracked"]);
        net.named_modules().Select(m => m.name).ShouldBe(["body", "body.0", "body.1"]);
    }

    [Fact]
    public void Training_and_evaluation_reach_every_layer()
    {
        using var net = new Head(3, 2);

        net.eval();
        net.modules().ShouldAllBe(m => !m.training);
        net.train();
        net.modules().ShouldAllBe(m => m.training);
    }

    [Fact]
    public void A_saved_state_comes_back()
    {
        using var net = new Head(3, 2);
        using var other = new Head(3, 2);
        using var file = new MemoryStream();

        net.save(file);
        file.Position = 0;
        other.load(file);

        foreach (var (name, value) in net.state_dict()) Golden.LargestDifference(other.state_dict()[name], value).ShouldBe(0, name);
    }

    [Fact]
    public void A_state_of_another_module_is_refused()
    {
        using var net = new Head(3, 2);
        using var wide = new Head(4, 2);
        using var file = new MemoryStream();
        wide.save(file);
        file.Position = 0;

        Should.Throw<ArgumentException>(() => net.load(file));
        Should.Throw<InvalidOperationException>(() => net.load_state_dict([]));
        var (missing, unexpected) = net.load_state_dict([], strict: false);
        (missing.Count, unexpected.Count).ShouldBe((9, 0));
    }

    [Fact]
    public void Names_are_unique_and_without_dots()
    {
        using var net = new Head(3, 2);
        using var layer = nn.ReLU();

        Should.Throw<ArgumentException>(() => net.register_module("a.b", layer));
        Should.Throw<InvalidOperationException>(() => net.register_module("body", layer));
    }

    [Fact]
    public void Moving_keeps_the_parameter_objects_and_their_gradients()
    {
        using var scope = NewDisposeScope();
        using var net = new Head(3, 2);
        var parameters = net.parameters().ToArray();
        net.call(rand(4, 3)).sum().backward();

        net.to(float64);

        net.parameters().ShouldBe(parameters);
        parameters.ShouldAllBe(p => p.dtype == float64 && p.requires_grad && p.grad!.dtype == float64);
        net.get_buffer("body.1.num_batches_tracked")!.dtype.ShouldBe(int64);
        net.call(rand([4, 3], float64)).dtype.ShouldBe(float64);
        Should.Throw<ArgumentException>(() => net.to(int64));
    }

    [Fact]
    public void Disposing_a_module_disposes_all_its_tensors()
    {
        var before = LiveTensors.Settled();

        new Head(3, 2).Dispose();

        TorchRuntime.LiveTensors.ShouldBe(before);
    }

    [Fact]
    public void Zeroing_gradients_drops_them_or_sets_them_to_zero()
    {
        using var scope = NewDisposeScope();
        using var layer = nn.Linear(2, 1);
        layer.call(ones(1, 2)).backward();

        layer.zero_grad(set_to_none: false);
        layer.weight!.grad!.data<float>().ToArray().ShouldBe([0, 0]);
        layer.zero_grad();
        layer.weight.grad.ShouldBeNull();
    }

    [Fact]
    public void Dropout_drops_in_training_only()
    {
        using var scope = NewDisposeScope();
        using var dropout = nn.Dropout(0.5);
        var x = ones(1000);

        dropout.call(x).data<float>().ToArray().Count(v => v == 0).ShouldBeInRange(350, 650);
        dropout.eval();
        dropout.call(x).data<float>().ToArray().ShouldAllBe(v => v == 1);
    }

    private sealed class Head : nn.Module<Tensor, Tensor>
    {
        private readonly Sequential body;
        private readonly Parameter scale;
        private readonly Tensor offset;

        internal Head(long inputs, long outputs)
            : base(nameof(Head))
        {
            body = nn.Sequential(nn.Linear(inputs, outputs), nn.BatchNorm1d(outputs));
            scale = nn.Parameter(rand(1));
            offset = rand(outputs);
            RegisterComponents();
        }

        public override Tensor forward(Tensor input) => body.call(input) * scale + offset;
    }
}
