using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        private static readonly Op SumAll = new("aten::sum");
        private static readonly Op SumDim = new("aten::sum", "dim_IntList");
        private static readonly Op MeanAll = new("aten::mean");
        private static readonly Op MeanDim = new("aten::mean", "dim");
        private static readonly Op ProdAll = new("aten::prod");
        private static readonly Op ProdDim = new("aten::prod", "dim_int");
        private static readonly Op MaxAll = new("aten::max");
        private static readonly Op MaxDim = new("aten::max", "dim");
        private static readonly Op MaxOther = new("aten::max", "other");
        private static readonly Op MinAll = new("aten::min");
        private static readonly Op MinDim = new("aten::min", "dim");
        private static readonly Op MinOther = new("aten::min", "other");
        private static readonly Op Amax = new("aten::amax");
        private static readonly Op Amin = new("aten::amin");
        private static readonly Op Argmax = new("aten::argmax");
        private static readonly Op Argmin = new("aten::argmin");
        private static readonly Op NormAll = new("aten::norm", "Scalar");
        private static readonly Op NormDim = new("aten::norm", "ScalarOpt_dim");
        private static readonly Op StdAll = new("aten::std");
        private static readonly Op StdDim = new("aten::std", "dim");
        private static readonly Op VarAll = new("aten::var");
        private static readonly Op VarDim = new("aten::var", "dim");
        private static readonly Op Logsumexp = new("aten::logsumexp");
        private static readonly Op Softmax = new("aten::softmax", "int");
        private static readonly Op LogSoftmax = new("aten::log_softmax", "int");
        private static readonly Op AllOf = new("aten::all");
        private static readonly Op AllOfDim = new("aten::all", "dim");
        private static readonly Op AnyOf = new("aten::any");
        private static readonly Op AnyOfDim = new("aten::any", "dim");
        private static readonly Op Cumsum = new("aten::cumsum");
        private static readonly Op Median = new("aten::median");
        private static readonly Op CountNonzero = new("aten::count_nonzero", "dim_IntList");
        private static readonly Op Allclose = new("aten::allclose");

        public Tensor sum(ScalarType? type = null) => SumAll.Call(this, type);

        public Tensor sum(long[] dim, bool keepdim = false, ScalarType? type = null) => SumDim.Call(this, dim, keepdim, type);

        public Tensor sum(long dim, bool keepdim = false, ScalarType? type = null) => SumDim.Call(this, dim, keepdim, type);

        public Tensor sum(long dim0, long dim1, bool keepdim = false, ScalarType? type = null) =>
            SumDim.Call(this, (long[])[dim0, dim1], keepdim, type);

        public Tensor mean() => MeanAll.Call(this);

        public Tensor mean(long[] dimensions, bool keepdim = false, ScalarType? type = null) => MeanDim.Call(this, dimensions, keepdim, type);

        public Tensor prod(ScalarType? type = null) => ProdAll.Call(this, type);

        public Tensor prod(long dim, bool keepdim = false, ScalarType? type = null) => ProdDim.Call(this, dim, keepdim, type);

        public Tensor max() => MaxAll.Call(this);

        public Tensor max(Tensor other) => MaxOther.Call(this, other);

        public (Tensor values, Tensor indexes) max(long dim, bool keepdim = false) => MaxDim.CallTwo(this, dim, keepdim);

        public Tensor min() => MinAll.Call(this);

        public Tensor min(Tensor other) => MinOther.Call(this, other);

        public (Tensor values, Tensor indexes) min(long dim, bool keepdim = false) => MinDim.CallTwo(this, dim, keepdim);

        public Tensor amax(params long[] dims) => Amax.Call(this, dims);

        public Tensor amax(long[] dims, bool keepdim = false, Tensor? @out = null) => Into(@out, Amax.Call(this, dims, keepdim));

        public Tensor amin(params long[] dims) => Amin.Call(this, dims);

        public Tensor amin(long[] dims, bool keepdim = false, Tensor? @out = null) => Into(@out, Amin.Call(this, dims, keepdim));

        public Tensor argmax() => Argmax.Call(this);

        public Tensor argmax(long dim, bool keepdim = false) => Argmax.Call(this, dim, keepdim);

        public Tensor argmin() => Argmin.Call(this);

        public Tensor argmin(long dim, bool keepdim = false) => Argmin.Call(this, dim, keepdim);

        public Tensor norm(float p = 2.0f) => NormAll.Call(this, p);

        public Tensor norm(int dim, bool keepdim = false, float p = 2.0f) => NormDim.Call(this, p, (long[])[dim], keepdim);

        public Tensor std(bool unbiased = true) => StdAll.Call(this, unbiased);

        public Tensor std(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            As(type, StdDim.Call(this, dimensions, unbiased, keepdim));

        public Tensor std(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            As(type, StdDim.Call(this, dim, unbiased, keepdim));

        public Tensor var(bool unbiased = true) => VarAll.Call(this, unbiased);

        public Tensor var(long[] dimensions, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            As(type, VarDim.Call(this, dimensions, unbiased, keepdim));

        public Tensor var(long dim, bool unbiased = true, bool keepdim = false, ScalarType? type = null) =>
            As(type, VarDim.Call(this, dim, unbiased, keepdim));

        public Tensor logsumexp(long dim, bool keepdim = false) => Logsumexp.Call(this, dim, keepdim);

        public Tensor softmax(long dim, ScalarType? dtype = null) => Softmax.Call(this, dim, dtype);

        public Tensor log_softmax(long dim, ScalarType? dtype = null) => LogSoftmax.Call(this, dim, dtype);

        public Tensor all() => AllOf.Call(this);

        public Tensor all(long dim, bool keepdim = false) => AllOfDim.Call(this, dim, keepdim);

        public Tensor any() => AnyOf.Call(this);

        public Tensor any(long dim, bool keepdim = false) => AnyOfDim.Call(this, dim, keepdim);

        public Tensor cumsum(long dim, ScalarType? type = null) => Cumsum.Call(this, dim, type);

        public Tensor median() => Median.Call(this);

        public Tensor count_nonzero(long[]? dims = null) => CountNonzero.Call(this, dims ?? []);

        public bool allclose(Tensor target, double rtol = 1e-05, double atol = 1e-08, bool equal_nan = false) =>
            Allclose.CallBool(this, target, rtol, atol, equal_nan);

        private static Tensor As(ScalarType? type, Tensor result)
        {
            if (type is not { } wanted || wanted == result.dtype) return result;
            using (result) return result.to(wanted);
        }

        private static Tensor Into(Tensor? target, Tensor result)
        {
            if (target is null) return result;
            using (result) return target.copy_(result);
        }
    }
}
