using DmlPipeline.Torch;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Torch;

public sealed class RuntimeTests
{
    [Fact]
    public void A_random_state_comes_back()
    {
        using var scope = NewDisposeScope();
        manual_seed(5);
        _ = randn(3);
        var state = TorchRuntime.GetRngState();
        var expected = randn(7).data<float>().ToArray();
        _ = randn(100);

        TorchRuntime.SetRngState(state);

        randn(7).data<float>().ToArray().ShouldBe(expected);
    }

    [Fact]
    public void A_damaged_random_state_is_refused()
    {
        var state = TorchRuntime.GetRngState();

        Should.Throw<InvalidDataException>(() => TorchRuntime.SetRngState([1, 2, 3]));
        Should.Throw<InvalidDataException>(() => TorchRuntime.SetRngState(state[..^10]));
        Should.Throw<InvalidDataException>(() => TorchRuntime.SetRngState([4, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0]));
    }

    [Fact]
    public void A_generator_of_its_own_leaves_the_shared_one_alone()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(9);
        manual_seed(5);
        var expected = rand(3).data<float>().ToArray();
        manual_seed(5);

        var first = rand([3], generator: generator).data<float>().ToArray();
        generator.manual_seed(9);

        rand(3).data<float>().ToArray().ShouldBe(expected);
        rand([3], generator: generator).data<float>().ToArray().ShouldBe(first);
        generator.initial_seed().ShouldBe(9);
    }

    [Fact]
    public async Task Work_runs_on_one_thread_in_order_and_its_tensors_end_with_it()
    {
        using var torchThread = new TorchThread(1);
        await torchThread.Initialized;
        var before = LiveTensors.Settled();

        var threads = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => torchThread.Run(() =>
        {
            _ = ones(10) * i;
            return (i, Environment.CurrentManagedThreadId, get_num_threads());
        })));

        threads.Select(t => t.i).ShouldBe(Enumerable.Range(0, 20));
        threads.Select(t => t.CurrentManagedThreadId).Distinct().Count().ShouldBe(1);
        threads.ShouldAllBe(t => t.Item3 == 1);
        TorchRuntime.LiveTensors.ShouldBe(before);
    }

    [Fact]
    public async Task Failures_and_cancellation_reach_the_caller_and_the_thread_goes_on()
    {
        using var torchThread = new TorchThread(1);

        await Should.ThrowAsync<InvalidOperationException>(torchThread.Run<int>(() => throw new InvalidOperationException("no")));
        await Should.ThrowAsync<OperationCanceledException>(torchThread.Run<int>(() => throw new OperationCanceledException()));
        using var result = await torchThread.Run(() => ones(2).sum());

        result.item<float>().ShouldBe(2);
        torchThread.Dispose();
        await Should.ThrowAsync<ObjectDisposedException>(async () => await torchThread.Run(() => 1));
    }

    [Fact]
    public void The_machine_is_described()
    {
        TorchRuntime.Version.ShouldMatch(@"^\d+\.\d+");
        TorchRuntime.DeviceName.ShouldNotBeEmpty();
        TorchRuntime.Initialize(2);
        get_num_threads().ShouldBe(2);
        TorchRuntime.Initialize(1);
        Should.Throw<ArgumentOutOfRangeException>(() => TorchRuntime.Initialize(-1));
    }

    [Fact]
    public void Autocast_shortens_products_and_ends_with_its_guard()
    {
        using var scope = NewDisposeScope();
        var x = ones(4, 4);

        using (Autocast.Enter(CPU, bfloat16)) x.mm(x).dtype.ShouldBe(bfloat16);

        x.mm(x).dtype.ShouldBe(float32);
    }
}
