using static TorchSharp.torch;

namespace DmlPipeline.Tests.Torch.Torch;

public sealed class AutogradTests
{
    [Fact]
    public void Gradients_add_up_until_they_are_dropped()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new float[] { 1, 2 }, requires_grad: true);

        (x * x).sum().backward();
        (x * x).sum().backward();
        x.grad!.data<float>().ToArray().ShouldBe([4, 8]);
        x.grad = null;

        x.grad.ShouldBeNull();
    }

    [Fact]
    public void A_retained_graph_can_be_used_twice_and_a_created_one_derived_again()
    {
        using var scope = NewDisposeScope();
        var x = tensor(new float[] { 3 }, requires_grad: true);
        var cube = (x * x * x).sum();

        cube.backward(retain_graph: true);
        cube.backward(create_graph: true);
        var first = x.grad!; // 3x² twice
        first.item<float>().ShouldBe(54);
        x.grad = null;
        first.sum().backward();

        x.grad!.item<float>().ShouldBe(18); // 6x, of the half that has a graph
    }

    [Fact]
    public void Only_the_named_inputs_receive_gradients_and_a_vector_needs_a_seed()
    {
        using var scope = NewDisposeScope();
        var x = ones([2], requires_grad: true);
        var y = ones([2], requires_grad: true);

        (x * y).backward([tensor(new float[] { 1, 5 })], inputs: [y]);

        x.grad.ShouldBeNull();
        y.grad!.data<float>().ToArray().ShouldBe([1, 5]);
    }

    [Fact]
    public void Modes_nest_and_end_with_their_guards()
    {
        using var scope = NewDisposeScope();
        var x = ones([1], requires_grad: true);

        using (no_grad())
        {
            (x * 2).requires_grad.ShouldBeFalse();
            using (enable_grad()) (x * 2).requires_grad.ShouldBeTrue();
            is_grad_enabled().ShouldBeFalse();
        }
        using (inference_mode())
        {
            is_inference_mode_enabled().ShouldBeTrue();
            (x * 2).requires_grad.ShouldBeFalse();
        }

        is_grad_enabled().ShouldBeTrue();
        is_inference_mode_enabled().ShouldBeFalse();
        x.detach().requires_grad.ShouldBeFalse();
    }
}
