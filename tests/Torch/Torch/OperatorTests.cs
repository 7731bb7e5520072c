using TorchSharp;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace DmlPipeline.Tests.Torch.Torch;

public sealed class OperatorTests
{
    private static readonly Dictionary<string, Func<Tensor>> Operators = new(StringComparer.Ordinal)
    {
        ["add"] = () => A + B,
        ["sub"] = () => A - B,
        ["mul"] = () => A * B,
        ["div"] = () => A / P,
        ["mod"] = () => P % 0.3,
        ["neg"] = () => -A,
        ["add_scalar"] = () => A + 2.5f,
        ["rsub"] = () => 1 - A,
        ["rdiv"] = () => 2 / P,
        ["mul_int"] = () => A * 3,
        ["matmul"] = () => A.matmul(M),
        ["mm"] = () => A.mm(M),
        ["t"] = () => A.T,
        ["bmm"] = () => Batch.transpose(1, 2).bmm(Batch),
        ["einsum"] = () => einsum("ij,kj->ik", A, B),
        ["cdist"] = () => cdist(A, B),
        ["cdist1"] = () => cdist(A, B, 1.0),
        ["exp"] = () => A.exp(),
        ["log"] = () => P.log(),
        ["log1p"] = () => P.log1p(),
        ["sqrt"] = () => P.sqrt(),
        ["rsqrt"] = () => P.rsqrt(),
        ["abs"] = () => A.abs(),
        ["sigmoid"] = () => A.sigmoid(),
        ["tanh"] = () => A.tanh(),
        ["relu"] = () => A.relu(),
        ["pow"] = () => P.pow(1.5),
        ["pow_tensor"] = () => P.pow(B),
        ["clamp"] = () => A.clamp(-0.5, 0.5),
        ["clamp_min"] = () => A.clamp_min(0.1),
        ["masked_fill"] = () => A.masked_fill(Mask, -9.0),
        ["where"] = () => where(Mask, A, B),
        ["eq"] = () => A == B,
        ["lt"] = () => A < B,
        ["ge"] = () => A >= 0,
        ["logical"] = () => (A > 0).logical_and(B > 0).logical_or(~(P > 1)),
        ["xor"] = () => (A > 0) ^ (B > 0),
        ["sum"] = () => A.sum(),
        ["sum_dim"] = () => A.sum(1, true),
        ["mean"] = () => A.mean(),
        ["mean_dim"] = () => A.mean([0]),
        ["max"] = () => A.max(),
        ["max_dim"] = () => A.max(1).values,
        ["max_index"] = () => A.max(1).indexes,
        ["min_dim"] = () => A.min(0).values,
        ["amax"] = () => A.amax([1]),
        ["argmax"] = () => A.argmax(1),
        ["norm"] = () => A.norm(),
        ["norm1"] = () => A.norm(1f),
        ["norm_dim"] = () => A.norm(1),
        ["std"] = () => A.std(1),
        ["var"] = () => A.var(0, false),
        ["logsumexp"] = () => A.logsumexp(1),
        ["softmax"] = () => A.softmax(1),
        ["log_softmax"] = () => A.log_softmax(0),
        ["topk"] = () => A.topk(2).values,
        ["topk_index"] = () => A.topk(2).indexes,
        ["sort"] = () => A.sort(1, true).Values,
        ["argsort"] = () => A.argsort(1),
        ["gather"] = () => A.gather(1, Index.view(3, 1)),
        ["index_select"] = () => A.index_select(0, Index),
        ["scatter"] = () => zeros(3, 4).scatter(1, Index.view(3, 1), A),
        ["scatter_add"] = () => zeros(3, 4).scatter_add(0, Index.view(3, 1).expand(3, 4), A),
        ["index_add"] = () => zeros(3, 4).index_add_(0, Index, A, 2),
        ["unique"] = () => tensor(new long[] { 3, 1, 3, 2, 1 }).unique().output,
        ["unique_counts"] = () => tensor(new long[] { 3, 1, 3, 2, 1 }).unique(return_counts: true).counts!,
        ["nonzero"] = () => Mask.nonzero(),
        ["row"] = () => A[1],
        ["element"] = () => A[1, 2],
        ["slice"] = () => A[TensorIndex.Colon, TensorIndex.Slice(1, 3)],
        ["masked"] = () => A[Mask],
        ["chosen"] = () => A[TensorIndex.Tensor(Index)],
        ["stride"] = () => A[TensorIndex.Slice(step: 2)],
        ["cat"] = () => cat([A, B], 1),
        ["stack"] = () => stack([A, B]),
        ["split"] = () => A.split(3, 1)[1],
        ["chunk"] = () => A.chunk(2, 1)[1],
        ["permute"] = () => Batch.permute(2, 0, 1),
        ["flatten"] = () => Batch.flatten(1),
        ["expand"] = () => A[TensorIndex.Colon, TensorIndex.Slice(0, 1)].expand(3, 4),
        ["squeeze"] = () => A.unsqueeze(1).squeeze(1),
        ["arange"] = () => arange(2, 9, 3),
        ["eye"] = () => eye(3, 4),
        ["cumsum"] = () => A.cumsum(1),
        ["triu"] = () => A.triu(),
        ["to_int"] = () => (A * 3).to(int64),
        ["repeat"] = () => A.repeat(2, 1),
        ["normalize"] = () => F.normalize(A),
        ["cross_entropy"] = () => F.cross_entropy(A, Classes),
        ["smoothed"] = () => F.cross_entropy(A, Classes, label_smoothing: 0.1),
        ["cross_entropy_none"] = () => F.cross_entropy(A, Classes, reduction: nn.Reduction.None),
        ["one_hot"] = () => F.one_hot(Classes, 5),
        ["linear"] = () => F.linear(A, M.t()),
        ["cosine"] = () => F.cosine_similarity(A, B),
        ["softplus"] = () => F.softplus(A),
        ["interpolate"] = () => F.interpolate(Image, [3, 4], mode: InterpolationMode.Bilinear, antialias: true),
        ["bilinear"] = () => F.interpolate(Image, [9, 5], mode: InterpolationMode.Bilinear),
        ["nearest"] = () => F.interpolate(Image, scale_factor: [2.0]),
        ["area"] = () => F.interpolate(Image, [3, 4], mode: InterpolationMode.Area),
        ["avg_pool"] = () => F.avg_pool2d(Image, [2, 2]),
        ["pad"] = () => F.pad(Image, [1, 2, 0, 1], PaddingModes.Reflect),
    };

    public static TheoryData<string> OperatorNames => [.. Operators.Keys];

    private static Tensor A => Golden.Get("in.a");

    private static Tensor B => Golden.Get("in.b");

    private static Tensor P => Golden.Get("in.p");

    private static Tensor M => Golden.Get("in.m");

    private static Tensor Batch => Golden.Get("in.batch");

    private static Tensor Image => Golden.Get("in.image");

    private static Tensor Index => Golden.Get("in.index");

    private static Tensor Classes => Golden.Get("in.classes");

    private static Tensor Mask => Golden.Get("in.mask");

    [Theory]
    [MemberData(nameof(OperatorNames))]
    public void An_operator_answers_what_PyTorch_answers(string name)
    {
        using var scope = NewDisposeScope();

        Golden.ShouldBe(Operators[name](), $"op.{name}");
    }

    [Fact]
    public void Every_golden_operator_is_compared() =>
        Golden.Names.Where(n => n.StartsWith("op.", StringComparison.Ordinal)).Select(n => n[3..]).ShouldBe(Operators.Keys, ignoreOrder: true);

    [Fact]
    public void The_same_seed_gives_PyTorchs_random_numbers()
    {
        using var scope = NewDisposeScope();
        manual_seed(42);

        Golden.ShouldBe(randn(5), "random.randn", 0);
        Golden.ShouldBe(rand(2, 3), "random.rand", 0);
        Golden.ShouldBe(randint(0, 100, [6]), "random.randint", 0);
        Golden.ShouldBe(randperm(10), "random.randperm", 0);
        Golden.ShouldBe(nn.init.kaiming_normal_(empty(4, 3), 0, nn.init.FanInOut.FanOut, nn.init.NonlinearityType.ReLU), "random.kaiming", 0);
        Golden.ShouldBe(nn.init.xavier_uniform_(empty(4, 3)), "random.xavier", 0);
    }

    [Fact]
    public void Writing_through_an_index_changes_only_what_it_names()
    {
        using var scope = NewDisposeScope();
        var x = zeros(3, 4);

        x[1, 2] = tensor(5f);
        x[TensorIndex.Colon, TensorIndex.Single(0)] = tensor(1f);
        x[TensorIndex.Tensor(tensor(new long[] { 2 }))] = tensor(7f);

        x.data<float>().ToArray().ShouldBe([1, 0, 0, 0, 1, 0, 5, 0, 7, 7, 7, 7]);
    }

    [Fact]
    public void Values_are_read_in_row_major_order_whatever_the_strides()
    {
        using var scope = NewDisposeScope();
        var x = arange(6).view(2, 3).t();

        x.is_contiguous().ShouldBeFalse();
        x.data<long>().ToArray().ShouldBe([0, 3, 1, 4, 2, 5]);
        x.data<long>()[2, 1].ShouldBe(5);
    }

    [Fact]
    public void Arrays_of_every_rank_and_type_become_tensors()
    {
        using var scope = NewDisposeScope();

        tensor(new float[,] { { 1, 2 }, { 3, 4 } }).shape.ShouldBe([2, 2]);
        tensor(new byte[] { 1, 2, 3 }, float32).data<float>().ToArray().ShouldBe([1, 2, 3]);
        tensor(new List<double> { 1, 2, 3, 4, 5, 6 }, 2, 3).shape.ShouldBe([2, 3]);
        tensor([1L, 2L], [2, 1]).dtype.ShouldBe(int64);
        tensor(true).item<bool>().ShouldBeTrue();
        from_array(new short[2, 3, 4]).shape.ShouldBe([2, 3, 4]);
        Should.Throw<ArgumentException>(() => tensor(new float[3], [2, 2]));
    }
}
