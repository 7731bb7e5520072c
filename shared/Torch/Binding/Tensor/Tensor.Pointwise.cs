using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        private static readonly Op AbsOp = new("aten::abs");
        private static readonly Op AcosOp = new("aten::acos");
        private static readonly Op CeilOp = new("aten::ceil");
        private static readonly Op CosOp = new("aten::cos");
        private static readonly Op ErfOp = new("aten::erf");
        private static readonly Op ExpOp = new("aten::exp");
        private static readonly Op Expm1Op = new("aten::expm1");
        private static readonly Op FloorOp = new("aten::floor");
        private static readonly Op FracOp = new("aten::frac");
        private static readonly Op GeluOp = new("aten::gelu");
        private static readonly Op HardsigmoidOp = new("aten::hardsigmoid");
        private static readonly Op HardswishOp = new("aten::hardswish");
        private static readonly Op IsfiniteOp = new("aten::isfinite");
        private static readonly Op IsinfOp = new("aten::isinf");
        private static readonly Op IsnanOp = new("aten::isnan");
        private static readonly Op LogOp = new("aten::log");
        private static readonly Op Log1pOp = new("aten::log1p");
        private static readonly Op LogicalNotOp = new("aten::logical_not");
        private static readonly Op NegOp = new("aten::neg");
        private static readonly Op ReluOp = new("aten::relu");
        private static readonly Op RsqrtOp = new("aten::rsqrt");
        private static readonly Op SigmoidOp = new("aten::sigmoid");
        private static readonly Op SignOp = new("aten::sign");
        private static readonly Op SiluOp = new("aten::silu");
        private static readonly Op SinOp = new("aten::sin");
        private static readonly Op SqrtOp = new("aten::sqrt");
        private static readonly Op SquareOp = new("aten::square");
        private static readonly Op TanhOp = new("aten::tanh");
        private static readonly Op TruncOp = new("aten::trunc");
        private static readonly Op EqOpTensor = new("aten::eq", "Tensor");
        private static readonly Op EqOpScalar = new("aten::eq", "Scalar");
        private static readonly Op NeOpTensor = new("aten::ne", "Tensor");
        private static readonly Op NeOpScalar = new("aten::ne", "Scalar");
        private static readonly Op GtOpTensor = new("aten::gt", "Tensor");
        private static readonly Op GtOpScalar = new("aten::gt", "Scalar");
        private static readonly Op GeOpTensor = new("aten::ge", "Tensor");
        private static readonly Op GeOpScalar = new("aten::ge", "Scalar");
        private static readonly Op LtOpTensor = new("aten::lt", "Tensor");
        private static readonly Op LtOpScalar = new("aten::lt", "Scalar");
        private static readonly Op LeOpTensor = new("aten::le", "Tensor");
        private static readonly Op LeOpScalar = new("aten::le", "Scalar");
        private static readonly Op LogicalAndOp = new("aten::logical_and");
        private static readonly Op LogicalOrOp = new("aten::logical_or");
        private static readonly Op LogicalXorOp = new("aten::logical_xor");
        private static readonly Op MaximumOp = new("aten::maximum");
        private static readonly Op MinimumOp = new("aten::minimum");
        private static readonly Op PowTensor = new("aten::pow", "Tensor_Tensor");
        private static readonly Op PowScalar = new("aten::pow", "Tensor_Scalar");
        private static readonly Op ClampScalar = new("aten::clamp");
        private static readonly Op ClampTensor = new("aten::clamp", "Tensor");
        private static readonly Op ClampMin = new("aten::clamp_min");
        private static readonly Op ClampMax = new("aten::clamp_max");
        private static readonly Op MaskedFill = new("aten::masked_fill", "Scalar");
        private static readonly Op DivTensorMode = new("aten::div", "Tensor_mode");
        private static readonly Op DivScalarMode = new("aten::div", "Scalar_mode");
        private static readonly Op FmodTensor = new("aten::fmod", "Tensor");
        private static readonly Op FmodScalar = new("aten::fmod", "Scalar");
        private static readonly Op RoundOp = new("aten::round", "decimals");
        private static readonly Op WhereOp = new("aten::where", "self");

        public Tensor abs() => AbsOp.Call(this);

        public Tensor acos() => AcosOp.Call(this);

        public Tensor ceil() => CeilOp.Call(this);

        public Tensor cos() => CosOp.Call(this);

        public Tensor erf() => ErfOp.Call(this);

        public Tensor exp() => ExpOp.Call(this);

        public Tensor expm1() => Expm1Op.Call(this);

        public Tensor floor() => FloorOp.Call(this);

        public Tensor frac() => FracOp.Call(this);

        public Tensor gelu() => GeluOp.Call(this);

        public Tensor hardsigmoid() => HardsigmoidOp.Call(this);

        public Tensor hardswish() => HardswishOp.Call(this);

        public Tensor isfinite() => IsfiniteOp.Call(this);

        public Tensor isinf() => IsinfOp.Call(this);

        public Tensor isnan() => IsnanOp.Call(this);

        public Tensor log() => LogOp.Call(this);

        public Tensor log1p() => Log1pOp.Call(this);

        public Tensor logical_not() => LogicalNotOp.Call(this);

        public Tensor neg() => NegOp.Call(this);

        public Tensor relu() => ReluOp.Call(this);

        public Tensor rsqrt() => RsqrtOp.Call(this);

        public Tensor sigmoid() => SigmoidOp.Call(this);

        public Tensor sign() => SignOp.Call(this);

        public Tensor silu() => SiluOp.Call(this);

        public Tensor sin() => SinOp.Call(this);

        public Tensor sqrt() => SqrtOp.Call(this);

        public Tensor square() => SquareOp.Call(this);

        public Tensor tanh() => TanhOp.Call(this);

        public Tensor trunc() => TruncOp.Call(this);

        public Tensor eq(Tensor target) => EqOpTensor.Call(this, target);

        public Tensor eq(Scalar target) => EqOpScalar.Call(this, target);

        public Tensor ne(Tensor target) => NeOpTensor.Call(this, target);

        public Tensor ne(Scalar target) => NeOpScalar.Call(this, target);

        public Tensor gt(Tensor target) => GtOpTensor.Call(this, target);

        public Tensor gt(Scalar target) => GtOpScalar.Call(this, target);

        public Tensor ge(Tensor target) => GeOpTensor.Call(this, target);

        public Tensor ge(Scalar target) => GeOpScalar.Call(this, target);

        public Tensor lt(Tensor target) => LtOpTensor.Call(this, target);

        public Tensor lt(Scalar target) => LtOpScalar.Call(this, target);

        public Tensor le(Tensor target) => LeOpTensor.Call(this, target);

        public Tensor le(Scalar target) => LeOpScalar.Call(this, target);

        public Tensor logical_and(Tensor other) => LogicalAndOp.Call(this, other);

        public Tensor logical_or(Tensor other) => LogicalOrOp.Call(this, other);

        public Tensor logical_xor(Tensor other) => LogicalXorOp.Call(this, other);

        public Tensor maximum(Tensor other) => MaximumOp.Call(this, other);

        public Tensor minimum(Tensor other) => MinimumOp.Call(this, other);

        public Tensor add(Tensor target) => AddTensor.Call(this, target);

        public Tensor add(Tensor target, Scalar alpha) => AddTensor.Call(this, target, alpha);

        public Tensor add(Scalar scalar) => AddScalar.Call(this, scalar);

        public Tensor add(Scalar scalar, Scalar alpha) => AddScalar.Call(this, scalar, alpha);

        public Tensor sub(Tensor target) => SubTensor.Call(this, target);

        public Tensor sub(Scalar target) => SubScalar.Call(this, target);

        public Tensor mul(Tensor target) => MulTensor.Call(this, target);

        public Tensor mul(Scalar target) => MulScalar.Call(this, target);

        public Tensor div(Tensor target, RoundingMode rounding_mode = RoundingMode.None) =>
            rounding_mode == RoundingMode.None ? DivTensor.Call(this, target) : DivTensorMode.Call(this, target, rounding_mode.ToString());

        public Tensor div(Scalar target, RoundingMode rounding_mode = RoundingMode.None) =>
            rounding_mode == RoundingMode.None ? DivScalar.Call(this, target) : DivScalarMode.Call(this, target, rounding_mode.ToString());

        public Tensor remainder(Tensor target) => RemainderTensor.Call(this, target);

        public Tensor remainder(Scalar scalar) => RemainderScalar.Call(this, scalar);

        public Tensor fmod(Tensor target) => FmodTensor.Call(this, target);

        public Tensor fmod(Scalar scalar) => FmodScalar.Call(this, scalar);

        public Tensor round(long decimals = 0) => RoundOp.Call(this, decimals);

        public Tensor pow(Tensor exponent) => PowTensor.Call(this, exponent);

        public Tensor pow(Scalar exponent) => PowScalar.Call(this, exponent);

        public Tensor clamp(Scalar? min = null, Scalar? max = null) => ClampScalar.Call(this, min, max);

        public Tensor clamp(Tensor? min = null, Tensor? max = null) => ClampTensor.Call(this, min, max);

        public Tensor clamp_min(Scalar min) => ClampMin.Call(this, min);

        public Tensor clamp_max(Scalar max) => ClampMax.Call(this, max);

        public Tensor masked_fill(Tensor mask, Scalar value) => MaskedFill.Call(this, mask, value);

        public Tensor bitwise_and(Tensor other) => BitwiseAnd.Call(this, other);

        /// <summary>This tensor's values where the condition holds, <paramref name="y"/>'s elsewhere.</summary>
        public Tensor where(Tensor condition, Tensor y) => WhereOp.Call(condition, this, y);
    }
}
