using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        private static readonly Op AddTensorInPlace = new("aten::add_", "Tensor");
        private static readonly Op AddScalarInPlace = new("aten::add_", "Scalar");
        private static readonly Op SubTensorInPlace = new("aten::sub_", "Tensor");
        private static readonly Op SubScalarInPlace = new("aten::sub_", "Scalar");
        private static readonly Op MulTensorInPlace = new("aten::mul_", "Tensor");
        private static readonly Op MulScalarInPlace = new("aten::mul_", "Scalar");
        private static readonly Op DivTensorInPlace = new("aten::div_", "Tensor");
        private static readonly Op DivScalarInPlace = new("aten::div_", "Scalar");
        private static readonly Op DivTensorModeInPlace = new("aten::div_", "Tensor_mode");
        private static readonly Op DivScalarModeInPlace = new("aten::div_", "Scalar_mode");
        private static readonly Op ZeroInPlace = new("aten::zero_");
        private static readonly Op FillScalarInPlace = new("aten::fill_", "Scalar");
        private static readonly Op CopyInPlace = new("aten::copy_");
        private static readonly Op SqrtInPlace = new("aten::sqrt_");
        private static readonly Op ExpInPlace = new("aten::exp_");
        private static readonly Op ClampInPlace = new("aten::clamp_");
        private static readonly Op MaskedFillInPlace = new("aten::masked_fill_", "Scalar");
        private static readonly Op AddcmulInPlace = new("aten::addcmul_");
        private static readonly Op AddcdivInPlace = new("aten::addcdiv_");
        private static readonly Op LerpInPlace = new("aten::lerp_", "Tensor");
        private static readonly Op NormalInPlace = new("aten::normal_");
        private static readonly Op UniformInPlace = new("aten::uniform_");
        private static readonly Op BernoulliInPlace = new("aten::bernoulli_", "float");
        private static readonly Op IndexAddInPlace = new("aten::index_add_");
        private static readonly Op IndexCopyInPlace = new("aten::index_copy_");
        private static readonly Op IndexFillInPlace = new("aten::index_fill_", "int_Scalar");
        private static readonly Op ScatterInPlace = new("aten::scatter_", "src");
        private static readonly Op ScatterAddInPlace = new("aten::scatter_add_");
        private static readonly Op LogicalAndInPlace = new("aten::logical_and_");
        private static readonly Op LogicalOrInPlace = new("aten::logical_or_");
        private static readonly Op LogicalXorInPlace = new("aten::logical_xor_");

        public Tensor add_(Tensor target)
        {
            AddTensorInPlace.Run(this, target);
            return this;
        }

        public Tensor add_(Tensor target, Scalar alpha)
        {
            AddTensorInPlace.Run(this, target, alpha);
            return this;
        }

        public Tensor add_(Scalar scalar)
        {
            AddScalarInPlace.Run(this, scalar);
            return this;
        }

        public Tensor add_(Scalar scalar, Scalar alpha)
        {
            AddScalarInPlace.Run(this, scalar, alpha);
            return this;
        }

        public Tensor sub_(Tensor target)
        {
            SubTensorInPlace.Run(this, target);
            return this;
        }

        public Tensor sub_(Scalar target)
        {
            SubScalarInPlace.Run(this, target);
            return this;
        }

        public Tensor mul_(Tensor target)
        {
            MulTensorInPlace.Run(this, target);
            return this;
        }

        public Tensor mul_(Scalar target)
        {
            MulScalarInPlace.Run(this, target);
            return this;
        }

        public Tensor div_(Tensor target, RoundingMode rounding_mode = RoundingMode.None)
        {
            if (rounding_mode == RoundingMode.None) DivTensorInPlace.Run(this, target);
            else DivTensorModeInPlace.Run(this, target, rounding_mode.ToString());
            return this;
        }

        public Tensor div_(Scalar target, RoundingMode rounding_mode = RoundingMode.None)
        {
            if (rounding_mode == RoundingMode.None) DivScalarInPlace.Run(this, target);
            else DivScalarModeInPlace.Run(this, target, rounding_mode.ToString());
            return this;
        }

        public Tensor zero_()
        {
            ZeroInPlace.Run(this);
            return this;
        }

        public Tensor fill_(Scalar value)
        {
            FillScalarInPlace.Run(this, value);
            return this;
        }

        public Tensor copy_(Tensor source, bool nonBlocking = false)
        {
            CopyInPlace.Run(this, source, nonBlocking);
            return this;
        }

        public Tensor sqrt_()
        {
            SqrtInPlace.Run(this);
            return this;
        }

        public Tensor exp_()
        {
            ExpInPlace.Run(this);
            return this;
        }

        public Tensor clamp_(Scalar? min = null, Scalar? max = null)
        {
            ClampInPlace.Run(this, min, max);
            return this;
        }

        public Tensor masked_fill_(Tensor mask, Scalar value)
        {
            MaskedFillInPlace.Run(this, mask, value);
            return this;
        }

        public Tensor addcmul_(Tensor tensor1, Tensor tensor2, Scalar value)
        {
            AddcmulInPlace.Run(this, tensor1, tensor2, value);
            return this;
        }

        public Tensor addcdiv_(Tensor tensor1, Tensor tensor2, Scalar value)
        {
            AddcdivInPlace.Run(this, tensor1, tensor2, value);
            return this;
        }

        public Tensor lerp_(Tensor end, Tensor weight)
        {
            LerpInPlace.Run(this, end, weight);
            return this;
        }

        public Tensor normal_(double mean = 0, double std = 1, Generator? generator = null)
        {
            NormalInPlace.Run(this, mean, std, Arg.From(generator));
            return this;
        }

        public Tensor uniform_(double from, double to, Generator? generator = null)
        {
            UniformInPlace.Run(this, from, to, Arg.From(generator));
            return this;
        }

        public Tensor bernoulli_(double p = 0.5, Generator? generator = null)
        {
            BernoulliInPlace.Run(this, p, Arg.From(generator));
            return this;
        }

        public Tensor index_add_(long dim, Tensor index, Tensor source, Scalar alpha)
        {
            IndexAddInPlace.Run(this, dim, index, source, alpha);
            return this;
        }

        public Tensor index_copy_(long dim, Tensor index, Tensor source)
        {
            IndexCopyInPlace.Run(this, dim, index, source);
            return this;
        }

        public Tensor index_fill_(long dim, Tensor index, Scalar value)
        {
            IndexFillInPlace.Run(this, dim, index, value);
            return this;
        }

        public Tensor scatter_(long dim, Tensor index, Tensor src)
        {
            ScatterInPlace.Run(this, dim, index, src);
            return this;
        }

        public Tensor scatter_add_(long dim, Tensor index, Tensor src)
        {
            ScatterAddInPlace.Run(this, dim, index, src);
            return this;
        }

        public Tensor logical_and_(Tensor other)
        {
            LogicalAndInPlace.Run(this, other);
            return this;
        }

        public Tensor logical_or_(Tensor other)
        {
            LogicalOrInPlace.Run(this, other);
            return this;
        }

        public Tensor logical_xor_(Tensor other)
        {
            LogicalXorInPlace.Run(this, other);
            return this;
        }
    }
}
