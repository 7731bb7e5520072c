using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static partial class torch
{
    public static partial class linalg
    {
        private static readonly Op SolveOp = new("aten::linalg_solve");
        private static readonly Op EighOp = new("aten::linalg_eigh");

        /// <summary>X of A X = B (or of X A = B): [.., N, N], [.., N, K] -> [.., N, K].</summary>
        public static Tensor solve(Tensor A, Tensor B, bool left = true) => SolveOp.Call(A, B, left);

        /// <summary>Eigenvalues in ascending order and eigenvectors as columns, of symmetric matrices given by their lower ('L') or upper ('U') half.</summary>
        public static (Tensor, Tensor) eigh(Tensor input, char UPLO = 'L') => EighOp.CallTwo(input, UPLO.ToString());
    }
}
