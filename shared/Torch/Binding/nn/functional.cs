using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static partial class torch
{
    public static partial class nn
    {
        public static partial class functional
        {
            private static readonly Op LinearOp = new("aten::linear");
            private static readonly Op Conv2dOp = new("aten::conv2d");
            private static readonly Op BatchNormOp = new("aten::batch_norm");
            private static readonly Op LayerNormOp = new("aten::layer_norm");
            private static readonly Op MaxPool2dOp = new("aten::max_pool2d");
            private static readonly Op AvgPool2dOp = new("aten::avg_pool2d");
            private static readonly Op AdaptiveAvgPool2dOp = new("aten::adaptive_avg_pool2d");
            private static readonly Op DropoutOp = new("aten::dropout");
            private static readonly Op DropoutInPlaceOp = new("aten::dropout_");
            private static readonly Op ReluInPlaceOp = new("aten::relu_");
            private static readonly Op OneHotOp = new("aten::one_hot");
            private static readonly Op CosineSimilarityOp = new("aten::cosine_similarity");
            private static readonly Op CrossEntropyOp = new("aten::cross_entropy_loss");
            private static readonly Op NllOp = new("aten::nll_loss_nd");
            private static readonly Op MseOp = new("aten::mse_loss");
            private static readonly Op SoftplusOp = new("aten::softplus");
            private static readonly Op LogSigmoidOp = new("aten::log_sigmoid");
            private static readonly Op PadOp = new("aten::pad");
            private static readonly Op NormOp = new("aten::norm", "ScalarOpt_dim");
            private static readonly Op GridSampleOp = new("aten::grid_sampler");
            private static readonly Op AffineGridOp = new("aten::affine_grid_generator");

            public static Tensor linear(Tensor input, Tensor weights, Tensor? bias = null) => LinearOp.Call(input, weights, bias);

            public static Tensor conv2d(
                Tensor input, Tensor weight, Tensor? bias = null, long[]? strides = null, long[]? padding = null, long[]? dilation = null, long groups = 1) =>
                Conv2dOp.Call(input, weight, bias, strides ?? [1, 1], padding ?? [0, 0], dilation ?? [1, 1], groups);

            public static Tensor batch_norm(
                Tensor input, Tensor running_mean, Tensor running_var, Tensor? weight = null, Tensor? bias = null, bool training = false,
                double momentum = 0.1, double eps = 1e-05) =>
                BatchNormOp.Call(input, weight, bias, running_mean, running_var, training, momentum, eps, true);

            /// <summary>(x - mean) / sqrt(var + eps) over the last dimensions, scaled and shifted.</summary>
            public static Tensor layer_norm(Tensor input, long[] normalized_shape, Tensor? weight = null, Tensor? bias = null, double eps = 1e-5) =>
                LayerNormOp.Call(input, normalized_shape, weight, bias, eps);

            public static Tensor max_pool2d(
                Tensor input, long[] kernel_size, long[]? strides = null, long[]? padding = null, long[]? dilation = null, bool ceil_mode = false) =>
                MaxPool2dOp.Call(input, kernel_size, strides ?? [], padding ?? [0, 0], dilation ?? [1, 1], ceil_mode);

            public static Tensor avg_pool2d(
                Tensor input, long[] kernel_size, long[]? stride = null, long[]? padding = null, bool ceil_mode = false,
                bool count_include_pad = true, long? divisor_override = null) =>
                AvgPool2dOp.Call(input, kernel_size, stride ?? [], padding ?? [0, 0], ceil_mode, count_include_pad, divisor_override);

            public static Tensor adaptive_avg_pool2d(Tensor input, long[] output_size) => AdaptiveAvgPool2dOp.Call(input, output_size);

            public static Tensor dropout(Tensor input, double p = 0.5, bool training = true, bool inplace = false)
            {
                if (!inplace) return DropoutOp.Call(input, p, training);
                DropoutInPlaceOp.Run(input, p, training);
                return input.alias();
            }

            public static Tensor relu(Tensor x, bool inplace = false)
            {
                if (!inplace) return x.relu();
                ReluInPlaceOp.Run(x);
                return x.alias();
            }

            public static Tensor sigmoid(Tensor x) => x.sigmoid();

            public static Tensor softplus(Tensor x, double beta = 1.0, double threshold = 20.0) => SoftplusOp.Call(x, beta, threshold);

            public static Tensor logsigmoid(Tensor x) => LogSigmoidOp.Call(x);

            public static Tensor softmax(Tensor input, long dim, ScalarType? dtype = null) => input.softmax(dim, dtype);

            public static Tensor log_softmax(Tensor x, long dim) => x.log_softmax(dim);

            /// <summary>Truth as numbers: [..] -> [.., num_classes], 64-bit.</summary>
            public static Tensor one_hot(Tensor x, long num_classes = -1) => OneHotOp.Call(x, num_classes);

            /// <summary>x / max(||x||_p, eps) along a dimension.</summary>
            public static Tensor normalize(Tensor input, double p = 2.0, long dim = 1L, double eps = 1e-12)
            {
                using var norm = NormOp.Call(input, p, (long[])[dim], true);
                using var floor = norm.clamp_min(eps);
                using var wide = floor.expand_as(input);
                return input / wide;
            }

            public static Tensor cosine_similarity(Tensor x1, Tensor x2, long dim = 1L, double eps = 1e-8) => CosineSimilarityOp.Call(x1, x2, dim, eps);

            /// <summary>Mean negative log-likelihood of the target classes under softmax(input): [N, C], [N] -> [].</summary>
            public static Tensor cross_entropy(
                Tensor input, Tensor target, Tensor? weight = null, long ignore_index = -100, Reduction reduction = Reduction.Mean,
                double label_smoothing = 0.0) =>
                CrossEntropyOp.Call(input, target, weight, (long)reduction, ignore_index, label_smoothing);

            public static Tensor nll_loss(Tensor input, Tensor target, Tensor? weight = null, Reduction reduction = Reduction.Mean) =>
                NllOp.Call(input, target, weight, (long)reduction);

            public static Tensor mse_loss(Tensor input, Tensor target, Reduction reduction = Reduction.Mean) =>
                MseOp.Call(input, target, (long)reduction);

            public static Tensor pad(Tensor input, long[] pad, PaddingModes mode = PaddingModes.Constant, double value = 0) =>
                Pad(input, pad, mode is PaddingModes.Zeros ? "constant" : mode.ToString().ToLowerInvariant(), value);

            internal static Tensor Pad(Tensor input, long[] pad, string mode, double value) =>
                mode == "constant" ? PadOp.Call(input, pad, mode, value) : PadOp.Call(input, pad, mode, Arg.None);

            /// <summary>A grid of sampling places for <see cref="grid_sample"/> from affine matrices [N, 2, 3].</summary>
            public static Tensor affine_grid(Tensor theta, long[]? size = null, bool align_corners = false) =>
                AffineGridOp.Call(theta, size ?? throw new ArgumentNullException(nameof(size)), align_corners);

            public static Tensor grid_sample(
                Tensor input, Tensor grid, GridSampleMode mode = GridSampleMode.Bilinear,
                GridSamplePaddingMode padding_mode = GridSamplePaddingMode.Zeros, bool? align_corners = null)
            {
                // The operator counts bilinear as 0 and nearest as 1, and border as 1 and reflection as 2.
                var interpolation = mode == GridSampleMode.Nearest ? 1 : 0;
                var outside = padding_mode switch { GridSamplePaddingMode.Border => 1, GridSamplePaddingMode.Reflection => 2, _ => 0 };
                return GridSampleOp.Call(input, grid, interpolation, outside, align_corners ?? false);
            }
        }
    }
}
