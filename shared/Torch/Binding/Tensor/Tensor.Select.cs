using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        private static readonly Op Topk = new("aten::topk");
        private static readonly Op Sort = new("aten::sort");
        private static readonly Op SortStable = new("aten::sort", "stable");
        private static readonly Op Argsort = new("aten::argsort");
        private static readonly Op Gather = new("aten::gather");
        private static readonly Op IndexSelect = new("aten::index_select");
        private static readonly Op Scatter = new("aten::scatter", "src");
        private static readonly Op ScatterAdd = new("aten::scatter_add");
        private static readonly Op IndexAdd = new("aten::index_add");
        private static readonly Op Unique = new("aten::_unique2");
        private static readonly Op UniqueDim = new("aten::unique_dim");
        private static readonly Op Nonzero = new("aten::nonzero");
        private static readonly Op MaskedSelect = new("aten::masked_select");
        private static readonly Op Matmul = new("aten::matmul");
        private static readonly Op Mm = new("aten::mm");
        private static readonly Op Bmm = new("aten::bmm");
        private static readonly Op Mv = new("aten::mv");
        private static readonly Op Dot = new("aten::dot");
        private static readonly Op Outer = new("aten::outer");
        private static readonly Op Tril = new("aten::tril");
        private static readonly Op Triu = new("aten::triu");
        private static readonly Op Diag = new("aten::diag");
        private static readonly Op Diagonal = new("aten::diagonal");

        public (Tensor values, Tensor indexes) topk(int k, int dim = -1, bool largest = true, bool sorted = true) =>
            Topk.CallTwo(this, k, dim, largest, sorted);

        public (Tensor Values, Tensor Indices) sort(long dim = -1, bool descending = false, bool stable = false) =>
            stable ? SortStable.CallTwo(this, true, dim, descending) : Sort.CallTwo(this, dim, descending);

        public Tensor argsort(long dim = -1, bool descending = false) => Argsort.Call(this, dim, descending);

        public Tensor gather(long dim, Tensor index) => Gather.Call(this, dim, index);

        public Tensor index_select(long dim, Tensor index) => IndexSelect.Call(this, dim, index);

        public Tensor scatter(long dim, Tensor index, Tensor src) => Scatter.Call(this, dim, index, src);

        public Tensor scatter_add(long dim, Tensor index, Tensor src) => ScatterAdd.Call(this, dim, index, src);

        public Tensor index_add(long dim, Tensor index, Tensor source, Scalar alpha) => IndexAdd.Call(this, dim, index, source, alpha);

        public Tensor masked_select(Tensor mask) => MaskedSelect.Call(this, mask);

        public Tensor nonzero() => Nonzero.Call(this);

        /// <summary>The distinct values; the other two are null unless asked for.</summary>
        public (Tensor output, Tensor? inverse_indices, Tensor? counts) unique(
            bool sorted = true, bool return_inverse = false, bool return_counts = false, int? dim = null)
        {
            var (output, inverse, counts) = dim is { } d
                ? UniqueDim.CallThree(this, d, sorted, return_inverse, return_counts)
                : Unique.CallThree(this, sorted, return_inverse, return_counts);
            if (!return_inverse) inverse.Dispose();
            if (!return_counts) counts.Dispose();
            return (output, return_inverse ? inverse : null, return_counts ? counts : null);
        }

        public Tensor matmul(Tensor target) => Matmul.Call(this, target);

        public Tensor mm(Tensor target) => Mm.Call(this, target);

        public Tensor bmm(Tensor batch2) => Bmm.Call(this, batch2);

        public Tensor mv(Tensor target) => Mv.Call(this, target);

        public Tensor dot(Tensor target) => Dot.Call(this, target);

        public Tensor outer(Tensor vec2) => Outer.Call(this, vec2);

        public Tensor tril(long diagonal = 0) => Tril.Call(this, diagonal);

        public Tensor triu(long diagonal = 0) => Triu.Call(this, diagonal);

        public Tensor diag(long diagonal = 0) => Diag.Call(this, diagonal);

        public Tensor diagonal(long offset = 0, long dim1 = 0, long dim2 = 1) => Diagonal.Call(this, offset, dim1, dim2);
    }
}
