using System.Runtime.InteropServices;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Tests.Torch.Torch;

/// <summary>Whatever goes wrong in libtorch comes back as an exception, and the process lives on.</summary>
public sealed class ErrorTests
{
    private static readonly Dictionary<string, Action> Mistakes = new(StringComparer.Ordinal)
    {
        ["matmul of shapes that do not fit"] = () => zeros(2, 3).matmul(zeros(4, 5)),
        ["broadcasting shapes that do not fit"] = () => _ = zeros(2, 3) + zeros(4),
        ["index out of range"] = () => _ = zeros(3)[7],
        ["gather out of range"] = () => zeros(3).gather(0, tensor(new long[] { 9 })),
        ["index_select with a float index"] = () => zeros(3).index_select(0, zeros(1)),
        ["mm of different types"] = () => zeros(2, 2).mm(zeros([2, 2], float64)),
        ["view of a wrong size"] = () => zeros(6).view(4, 2),
        ["cat of different widths"] = () => cat([zeros(2, 3), zeros(2, 4)]),
        ["a class out of range"] = () => F.cross_entropy(zeros(1, 3), tensor(new long[] { 5 })),
        ["a dimension that does not exist"] = () => zeros(3).sum(4),
        ["backward without a graph"] = () => zeros(3).sum().backward(),
        ["backward twice"] = () =>
        {
            var loss = ones([3], requires_grad: true).exp().sum();
            loss.backward();
            loss.backward();
        },
        ["writing into a leaf in place"] = () => ones([3], requires_grad: true).add_(1),
        ["gradients of integers"] = () => zeros([3], int64).requires_grad = true,
        ["a gradient of another shape"] = () => new Parameter(zeros(3)).grad = zeros(4),
        ["negative sizes"] = () => zeros(-1),
        ["more memory than there is"] = () => zeros(1L << 50),
        ["einsum of nonsense"] = () => einsum("ij,jk,zz->", zeros(2, 2)),
        ["a generator state of the wrong size"] = () => set_rng_state(zeros([3], uint8)),
    };

    public static TheoryData<string> MistakeNames => [.. Mistakes.Keys];

    [Theory]
    [MemberData(nameof(MistakeNames))]
    public void A_mistake_crosses_as_an_exception(string name)
    {
        using var scope = NewDisposeScope();

        Should.Throw<ExternalException>(Mistakes[name]).Message.ShouldNotBeEmpty();

        (ones(2) + ones(2)).data<float>().ToArray().ShouldBe([2, 2]);
    }

    [Fact]
    public void The_message_is_libtorchs()
    {
        using var scope = NewDisposeScope();

        Should.Throw<ExternalException>(() => zeros(2, 3).matmul(zeros(4, 5))).Message.ShouldContain("2x3 and 4x5");
    }

    [Fact]
    public void A_thousand_errors_leave_no_tensor_behind()
    {
        using var scope = NewDisposeScope();
        var a = zeros(2, 3);
        var before = LiveTensors.Settled();

        for (var i = 0; i < 1000; i++) Should.Throw<ExternalException>(() => a.mm(a));

        Tensor.TotalCount.ShouldBe(before);
    }

    [Fact]
    public void A_convolution_names_the_channels_it_needs()
    {
        using var scope = NewDisposeScope();
        using var conv = nn.Conv2d(3, 4, 3);

        Should.Throw<ArgumentException>(() => conv.call(zeros(1, 2, 8, 8))).Message.ShouldContain("3 channels");
    }

    [Fact]
    public void Item_needs_one_value_of_the_right_type()
    {
        using var scope = NewDisposeScope();

        Should.Throw<ArgumentException>(() => zeros(2).item<float>());
        Should.Throw<ArgumentException>(() => zeros(1).item<double>());
        full(1, 3.5).item<float>().ShouldBe(3.5f);
    }

    [Fact]
    public void A_disposed_tensor_is_refused()
    {
        var x = zeros(2);
        x.Dispose();
        x.Dispose();

        x.IsInvalid.ShouldBeTrue();
        Should.Throw<InvalidOperationException>(() => x + x);
        Should.Throw<InvalidOperationException>(() => x.shape);
    }

    [Fact]
    public void Cuda_without_a_card_is_refused()
    {
        if (cuda.is_available()) return; // the message is for machines without one
        using var scope = NewDisposeScope();
        using var layer = nn.Linear(2, 2);

        Should.Throw<InvalidOperationException>(() => zeros(2).cuda());
        Should.Throw<InvalidOperationException>(() => zeros(2).to("cuda"));
        Should.Throw<InvalidOperationException>(() => layer.cuda());
        cuda.device_count().ShouldBe(0);
    }

    [Fact]
    public void Values_of_a_disposed_tensor_are_refused()
    {
        var x = zeros(2);
        var values = x.data<float>();
        x.Dispose();

        Should.Throw<InvalidOperationException>(() => values.ToArray());
    }
}
