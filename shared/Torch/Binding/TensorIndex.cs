namespace TorchSharp;

public static partial class torch
{
    /// <summary>One position in the brackets of an indexer: a number, a slice, a tensor, or one of the marks.</summary>
    public struct TensorIndex
    {
        public static TensorIndex Ellipsis = new() { Kind = IndexKind.Ellipsis };
        public static TensorIndex None = new() { Kind = IndexKind.None };
        public static TensorIndex Null = new() { Kind = IndexKind.Slice };
        public static TensorIndex Colon = new() { Kind = IndexKind.Slice };

        internal enum IndexKind
        {
            None,
            Single,
            Slice,
            Ellipsis,
            Tensor,
            Bool,
        }

        internal IndexKind Kind { get; private set; }

        internal long? Start { get; private set; }

        internal long? Stop { get; private set; }

        internal long Step { get; private set; }

        internal torch.Tensor? Positions { get; private set; }

        public static TensorIndex Slice(long? start = null, long? stop = null, long? step = null) =>
            new() { Kind = IndexKind.Slice, Start = start, Stop = stop, Step = step ?? 1 };

        public static TensorIndex Slice(Range range) => Slice(From(range.Start), range.End.Equals(Index.End) ? null : From(range.End));

        public static TensorIndex Bool(bool value) => new() { Kind = IndexKind.Bool, Start = value ? 1 : 0 };

        public static TensorIndex Single(long? index) => new() { Kind = IndexKind.Single, Start = index };

        public static TensorIndex Tensor(torch.Tensor tensor) => new() { Kind = IndexKind.Tensor, Positions = tensor };

        public static implicit operator TensorIndex(long value) => Single(value);

        public static implicit operator TensorIndex(Range range) => Slice(range);

        public static implicit operator TensorIndex(Index index) => Single(From(index));

        private static long From(Index index) => index.IsFromEnd ? -index.Value : index.Value;
    }
}
