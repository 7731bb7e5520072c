using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static partial class torch
{
    public static partial class linalg
    {
        private static readonly Op SolveOp = new("aten::linalg_solve");

        /// <summary>X of A X = B (or of X A = B): [.., N, N], [.., N, K] -> [.., N, K].</summary>
        public static Tensor solve(Tensor A, Tensor B, bool left = true) => SolveOp.Call(A, B, left);
    }
}
