using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Torch;

public sealed class DisposeScopeTests
{
    [Fact]
    public void A_scope_disposes_what_was_made_inside()
    {
        Tensor inside;
        using var outside = zeros(1);
        using (NewDisposeScope()) inside = zeros(1);

        inside.IsInvalid.ShouldBeTrue();
        outside.IsInvalid.ShouldBeFalse();
    }

    [Fact]
    public void A_result_moves_to_the_outer_scope()
    {
        Tensor moved;
        using (NewDisposeScope())
        {
            using (var inner = NewDisposeScope())
            {
                _ = zeros(1);
                moved = zeros(1).MoveToOuterDisposeScope();
                inner.DisposablesCount.ShouldBe(1);
            }
            moved.IsInvalid.ShouldBeFalse();
            CurrentDisposeScope!.DisposablesCount.ShouldBe(1);
        }
        moved.IsInvalid.ShouldBeTrue();
    }

    [Fact]
    public void Moved_out_of_the_outermost_scope_a_tensor_is_free()
    {
        Tensor free;
        using (var scope = NewDisposeScope()) free = scope.MoveToOuter(zeros(1));

        free.IsInvalid.ShouldBeFalse();
        free.Dispose();
    }

    [Fact]
    public void A_detached_tensor_outlives_its_scope_and_an_attached_one_does_not()
    {
        Tensor detached;
        var attached = zeros(1);
        using (var scope = NewDisposeScope())
        {
            detached = zeros(1).DetachFromDisposeScope();
            scope.Attach(attached);
            scope.Contains(attached).ShouldBeTrue();
            scope.Contains(detached).ShouldBeFalse();
        }

        attached.IsInvalid.ShouldBeTrue();
        detached.IsInvalid.ShouldBeFalse();
        detached.Dispose();
    }

    [Fact]
    public void Everything_but_what_is_kept_is_disposed()
    {
        using var scope = NewDisposeScope();
        var tensors = Enumerable.Range(0, 10).Select(_ => zeros(1)).ToArray();

        scope.DisposeEverythingBut(tensors[3], tensors[7]);

        tensors.Select(t => !t.IsInvalid).ShouldBe(Enumerable.Range(0, 10).Select(i => i is 3 or 7));
        scope.DisposablesCount.ShouldBe(2);
        tensors[3].Dispose();
        scope.DisposablesCount.ShouldBe(1);
    }

    [Fact]
    public void Scopes_may_end_in_any_order()
    {
        var outer = NewDisposeScope();
        var inner = NewDisposeScope();
        var x = zeros(1);

        outer.Dispose();
        x.IsInvalid.ShouldBeFalse();
        inner.Dispose();

        x.IsInvalid.ShouldBeTrue();
        CurrentDisposeScope.ShouldBeNull();
        Should.Throw<ObjectDisposedException>(() => inner.DisposablesCount);
    }

    [Fact]
    public void A_scope_belongs_to_its_thread()
    {
        using var scope = NewDisposeScope();
        Tensor? elsewhere = null;
        var thread = new Thread(() => elsewhere = zeros(1));
        thread.Start();
        thread.Join();

        scope.DisposablesCount.ShouldBe(0);
        elsewhere!.Dispose();
    }

    [Fact]
    public void Layers_made_inside_a_scope_stay_alive()
    {
        nn.Module<Tensor, Tensor> net;
        using (NewDisposeScope()) net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2));

        using (net)
        using (NewDisposeScope())
            net.call(zeros(1, 1, 5, 5)).shape.ShouldBe([1, 2, 3, 3]);
    }

    [Fact]
    public void A_parameter_takes_its_tensor_over()
    {
        using var scope = NewDisposeScope();
        var before = LiveTensors.Settled();
        var data = ones(2);

        var parameter = new Parameter(data);

        data.IsInvalid.ShouldBeTrue();
        parameter.requires_grad.ShouldBeTrue();
        scope.DisposablesCount.ShouldBe(1);
        Tensor.TotalCount.ShouldBe(before + 1);
    }

    [Fact]
    public void What_is_counted_adds_up()
    {
        DisposeScopeManager.Statistics.Reset();
        using var outside = zeros(1);
        using (NewDisposeScope())
        {
            _ = zeros(1);
            zeros(1).Dispose();
            zeros(1).DetachFromDisposeScope().Dispose();
        }

        var counts = DisposeScopeManager.Statistics.TensorStatistics;
        (counts.CreatedInScopeCount, counts.DisposedInScopeCount).ShouldBe((3, 2));
        (counts.CreatedOutsideScopeCount, counts.DisposedOutsideScopeCount).ShouldBe((1, 1));
        counts.DetachedFromScopeCount.ShouldBe(1);
        counts.ThreadTotalLiveCount.ShouldBe(1);
    }

    [Fact]
    public void A_forgotten_tensor_is_released_by_its_finaliser()
    {
        var before = LiveTensors.Settled();
        Forget();
        Tensor.TotalCount.ShouldBe(before + 1);

        for (var i = 0; i < 20 && Tensor.TotalCount > before; i++) LiveTensors.Collect();

        Tensor.TotalCount.ShouldBe(before);
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Forget() => _ = zeros(1000);
}
