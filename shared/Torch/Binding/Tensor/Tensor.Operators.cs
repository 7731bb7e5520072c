using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static partial class torch
{
    public partial class Tensor
    {
        private static readonly Op AddTensor = new("aten::add", "Tensor");
        private static readonly Op AddScalar = new("aten::add", "Scalar");
        private static readonly Op SubTensor = new("aten::sub", "Tensor");
        private static readonly Op SubScalar = new("aten::sub", "Scalar");
        private static readonly Op Rsub = new("aten::rsub", "Scalar");
        private static readonly Op MulTensor = new("aten::mul", "Tensor");
        private static readonly Op MulScalar = new("aten::mul", "Scalar");
        private static readonly Op DivTensor = new("aten::div", "Tensor");
        private static readonly Op DivScalar = new("aten::div", "Scalar");
        private static readonly Op RemainderTensor = new("aten::remainder", "Tensor");
        private static readonly Op RemainderScalar = new("aten::remainder", "Scalar");
        private static readonly Op Reciprocal = new("aten::reciprocal");
        private static readonly Op BitwiseAnd = new("aten::bitwise_and", "Tensor");
        private static readonly Op BitwiseOr = new("aten::bitwise_or", "Tensor");
        private static readonly Op BitwiseXor = new("aten::bitwise_xor", "Tensor");
        private static readonly Op BitwiseNot = new("aten::bitwise_not");

        public static Tensor operator +(Tensor left, Tensor right) => AddTensor.Call(left, right);

        public static Tensor operator +(Tensor left, Scalar right) => AddScalar.Call(left, right);

        public static Tensor operator +(Tensor left, int right) => AddScalar.Call(left, right);

        public static Tensor operator +(Tensor left, long right) => AddScalar.Call(left, right);

        public static Tensor operator +(Tensor left, float right) => AddScalar.Call(left, right);

        public static Tensor operator +(Tensor left, double right) => AddScalar.Call(left, right);

        public static Tensor operator +(Scalar left, Tensor right) => AddScalar.Call(right, left);

        public static Tensor operator +(int left, Tensor right) => AddScalar.Call(right, left);

        public static Tensor operator +(long left, Tensor right) => AddScalar.Call(right, left);

        public static Tensor operator +(float left, Tensor right) => AddScalar.Call(right, left);

        public static Tensor operator +(double left, Tensor right) => AddScalar.Call(right, left);

        public static Tensor operator -(Tensor left, Tensor right) => SubTensor.Call(left, right);

        public static Tensor operator -(Tensor left, Scalar right) => SubScalar.Call(left, right);

        public static Tensor operator -(Tensor left, int right) => SubScalar.Call(left, right);

        public static Tensor operator -(Tensor left, long right) => SubScalar.Call(left, right);

        public static Tensor operator -(Tensor left, float right) => SubScalar.Call(left, right);

        public static Tensor operator -(Tensor left, double right) => SubScalar.Call(left, right);

        public static Tensor operator -(Scalar left, Tensor right) => Rsub.Call(right, left);

        public static Tensor operator -(int left, Tensor right) => Rsub.Call(right, left);

        public static Tensor operator -(long left, Tensor right) => Rsub.Call(right, left);

        public static Tensor operator -(float left, Tensor right) => Rsub.Call(right, left);

        public static Tensor operator -(double left, Tensor right) => Rsub.Call(right, left);

        public static Tensor operator *(Tensor left, Tensor right) => MulTensor.Call(left, right);

        public static Tensor operator *(Tensor left, Scalar right) => MulScalar.Call(left, right);

        public static Tensor operator *(Tensor left, int right) => MulScalar.Call(left, right);

        public static Tensor operator *(Tensor left, long right) => MulScalar.Call(left, right);

        public static Tensor operator *(Tensor left, float right) => MulScalar.Call(left, right);

        public static Tensor operator *(Tensor left, double right) => MulScalar.Call(left, right);

        public static Tensor operator *(Scalar left, Tensor right) => MulScalar.Call(right, left);

        public static Tensor operator *(int left, Tensor right) => MulScalar.Call(right, left);

        public static Tensor operator *(long left, Tensor right) => MulScalar.Call(right, left);

        public static Tensor operator *(float left, Tensor right) => MulScalar.Call(right, left);

        public static Tensor operator *(double left, Tensor right) => MulScalar.Call(right, left);

        public static Tensor operator /(Tensor left, Tensor right) => DivTensor.Call(left, right);

        public static Tensor operator /(Tensor left, Scalar right) => DivScalar.Call(left, right);

        public static Tensor operator /(Tensor left, int right) => DivScalar.Call(left, right);

        public static Tensor operator /(Tensor left, long right) => DivScalar.Call(left, right);

        public static Tensor operator /(Tensor left, float right) => DivScalar.Call(left, right);

        public static Tensor operator /(Tensor left, double right) => DivScalar.Call(left, right);

        public static Tensor operator /(Scalar left, Tensor right) => DivideInto(left, right);

        public static Tensor operator /(int left, Tensor right) => DivideInto(left, right);

        public static Tensor operator /(long left, Tensor right) => DivideInto(left, right);

        public static Tensor operator /(float left, Tensor right) => DivideInto(left, right);

        public static Tensor operator /(double left, Tensor right) => DivideInto(left, right);

        public static Tensor operator %(Tensor left, Tensor right) => RemainderTensor.Call(left, right);

        public static Tensor operator %(Tensor left, Scalar right) => RemainderScalar.Call(left, right);

        public static Tensor operator %(Tensor left, int right) => RemainderScalar.Call(left, right);

        public static Tensor operator %(Tensor left, long right) => RemainderScalar.Call(left, right);

        public static Tensor operator %(Tensor left, float right) => RemainderScalar.Call(left, right);

        public static Tensor operator %(Tensor left, double right) => RemainderScalar.Call(left, right);

        public static Tensor operator -(Tensor tensor) => NegOp.Call(tensor);

        public static Tensor operator &(Tensor left, Tensor right) => BitwiseAnd.Call(left, right);

        public static Tensor operator |(Tensor left, Tensor right) => BitwiseOr.Call(left, right);

        public static Tensor operator ^(Tensor left, Tensor right) => BitwiseXor.Call(left, right);

        public static Tensor operator ~(Tensor left) => BitwiseNot.Call(left);

        public static Tensor operator ==(Tensor left, Tensor right) => left.eq(right);

        public static Tensor operator ==(Tensor left, Scalar right) => left.eq(right);

        public static Tensor operator ==(Scalar left, Tensor right) => right.eq(left);

        public static Tensor operator !=(Tensor left, Tensor right) => left.ne(right);

        public static Tensor operator !=(Tensor left, Scalar right) => left.ne(right);

        public static Tensor operator !=(Scalar left, Tensor right) => right.ne(left);

        public static Tensor operator <(Tensor left, Tensor right) => left.lt(right);

        public static Tensor operator <(Tensor left, Scalar right) => left.lt(right);

        public static Tensor operator <(Scalar left, Tensor right) => right.gt(left);

        public static Tensor operator <=(Tensor left, Tensor right) => left.le(right);

        public static Tensor operator <=(Tensor left, Scalar right) => left.le(right);

        public static Tensor operator <=(Scalar left, Tensor right) => right.ge(left);

        public static Tensor operator >(Tensor left, Tensor right) => left.gt(right);

        public static Tensor operator >(Tensor left, Scalar right) => left.gt(right);

        public static Tensor operator >(Scalar left, Tensor right) => right.lt(left);

        public static Tensor operator >=(Tensor left, Tensor right) => left.ge(right);

        public static Tensor operator >=(Tensor left, Scalar right) => left.ge(right);

        public static Tensor operator >=(Scalar left, Tensor right) => right.le(left);

        // Comparing yields a tensor, so two objects are equal only when they are the same one.
        public override bool Equals(object? obj) => ReferenceEquals(this, obj);

        public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

        private static Tensor DivideInto(Arg left, Tensor right)
        {
            using var inverse = Reciprocal.Call(right);
            return MulScalar.Call(inverse, left);
        }
    }
}
