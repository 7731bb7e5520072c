using TorchSharp.Modules;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static class utils
        {
            /// <summary>Scales all gradients so that their common norm is at most <paramref name="max_norm"/>; answers the norm before.</summary>
            public static double clip_grad_norm_(IEnumerable<Parameter> tensors, double max_norm, double norm_type = 2.0)
            {
                using var quiet = no_grad();
                using var scope = NewDisposeScope();
                var grads = tensors.Select(p => p.grad).OfType<Tensor>().ToArray();
                if (grads.Length == 0) return 0;
                var norms = stack(grads.Select(g => double.IsPositiveInfinity(norm_type) ? g.abs().max() : g.norm((float)norm_type)));
                var total = double.IsPositiveInfinity(norm_type) ? norms.max() : norms.norm((float)norm_type);
                var factor = (max_norm / (total + 1e-6)).clamp_max(1.0);
                foreach (var grad in grads) grad.mul_(factor);
                return total.ToDouble();
            }

            public static void clip_grad_value_(IEnumerable<Parameter> tensors, double clip_value)
            {
                using var quiet = no_grad();
                foreach (var tensor in tensors)
                {
                    using var grad = tensor.grad;
                    grad?.clamp_(-clip_value, clip_value);
                }
            }
        }
    }
}
