using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        private static readonly Op View = new("aten::view");
        private static readonly Op Reshape = new("aten::reshape");
        private static readonly Op Unsqueeze = new("aten::unsqueeze");
        private static readonly Op SqueezeAll = new("aten::squeeze");
        private static readonly Op SqueezeDim = new("aten::squeeze", "dim");
        private static readonly Op Expand = new("aten::expand");
        private static readonly Op Flatten = new("aten::flatten", "using_ints");
        private static readonly Op Permute = new("aten::permute");
        private static readonly Op Contiguous = new("aten::contiguous");
        private static readonly Op Clone = new("aten::clone");
        private static readonly Op Split = new("aten::split", "Tensor");
        private static readonly Op SplitWithSizes = new("aten::split_with_sizes");
        private static readonly Op Chunk = new("aten::chunk");
        private static readonly Op Unbind = new("aten::unbind", "int");
        private static readonly Op Transpose = new("aten::transpose", "int");
        private static readonly Op TransposeMatrix = new("aten::t");
        private static readonly Op Narrow = new("aten::narrow");
        private static readonly Op Repeat = new("aten::repeat");
        private static readonly Op RepeatInterleave = new("aten::repeat_interleave", "self_int");
        private static readonly Op RepeatInterleaveTensor = new("aten::repeat_interleave", "self_Tensor");
        private static readonly Op AsStrided = new("aten::as_strided");
        private static readonly Op Flip = new("aten::flip");
        private static readonly Op Roll = new("aten::roll");

        public Tensor T => ndim == 2 ? t() : permute([.. Enumerable.Range(0, (int)ndim).Reverse().Select(d => (long)d)]);

        public Tensor view(params long[] shape) => View.Call(this, shape);

        public Tensor view_as(Tensor other) => View.Call(this, other.shape);

        public Tensor reshape(params long[] shape) => Reshape.Call(this, shape);

        public Tensor unsqueeze(long dim) => Unsqueeze.Call(this, dim);

        public Tensor squeeze(long? dim = null) => dim is { } d ? SqueezeDim.Call(this, d) : SqueezeAll.Call(this);

        public Tensor expand(params long[] sizes) => Expand.Call(this, sizes);

        public Tensor expand(long[] sizes, bool isImplicit = false) => Expand.Call(this, sizes, isImplicit);

        public Tensor expand_as(Tensor other) => Expand.Call(this, other.shape);

        public Tensor flatten(long start_dim = 0, long end_dim = -1) => Flatten.Call(this, start_dim, end_dim);

        public Tensor permute(params long[] permutation) => Permute.Call(this, permutation);

        public Tensor contiguous() => Contiguous.Call(this);

        public Tensor clone() => Clone.Call(this);

        public Tensor t() => TransposeMatrix.Call(this);

        public Tensor transpose(long dim0, long dim1) => Transpose.Call(this, dim0, dim1);

        public Tensor swapaxes(long dim0, long dim1) => Transpose.Call(this, dim0, dim1);

        public Tensor narrow(long dim, long start, long length) => Narrow.Call(this, dim, start, length);

        public Tensor repeat(params long[] sizes) => Repeat.Call(this, sizes);

        public Tensor repeat_interleave(long repeats, long? dim = null, long? output_size = null) =>
            RepeatInterleave.Call(this, repeats, dim, output_size);

        public Tensor repeat_interleave(Tensor repeats, long? dim = null, long? output_size = null) =>
            RepeatInterleaveTensor.Call(this, repeats, dim, output_size);

        /// <summary>A view of the same values at other places: strides and offset count elements of the storage.</summary>
        public Tensor as_strided(long[] size, long[] strides, long storageOffset = 0L) => AsStrided.Call(this, size, strides, storageOffset);

        public Tensor flip(params long[] dims) => Flip.Call(this, dims);

        public Tensor roll(long shifts, long? dims = null) => Roll.Call(this, (long[])[shifts], dims is { } d ? (long[])[d] : (long[])[]);

        /// <summary>Pieces of the given length along a dimension; the last one may be shorter.</summary>
        public Tensor[] split(long size, int dim = 0) => Split.CallMany(this, size, dim);

        /// <summary>Pieces of the given lengths along a dimension.</summary>
        public Tensor[] split(long[] sizes, long dim = 0) => SplitWithSizes.CallMany(this, sizes, dim);

        public Tensor[] chunk(long chunks, long dim = 0) => Chunk.CallMany(this, chunks, dim);

        public Tensor[] unbind(long dimension = 0) => Unbind.CallMany(this, dimension);
    }
}
