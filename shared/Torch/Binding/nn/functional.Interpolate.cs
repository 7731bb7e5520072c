using DmlPipeline.Torch.Binding;

namespace TorchSharp;

public static partial class torch
{
    public enum GridSampleMode
    {
        Nearest = 0,
        Bilinear = 2,
    }

    public enum GridSamplePaddingMode
    {
        Zeros = 0,
        Reflection = 1,
        Border = 2,
    }

    public static partial class nn
    {
        public static partial class functional
        {
            private static readonly Op Nearest2d = new("aten::upsample_nearest2d", "vec");
            private static readonly Op NearestExact2d = new("aten::_upsample_nearest_exact2d", "vec");
            private static readonly Op Bilinear2d = new("aten::upsample_bilinear2d", "vec");
            private static readonly Op BilinearAntialias2d = new("aten::_upsample_bilinear2d_aa", "vec");
            private static readonly Op Bicubic2d = new("aten::upsample_bicubic2d", "vec");
            private static readonly Op BicubicAntialias2d = new("aten::_upsample_bicubic2d_aa", "vec");

            /// <summary>Resizes [N, C, H, W] to a size, or by a factor.</summary>
            public static Tensor interpolate(
                Tensor x, long[]? size = null, double[]? scale_factor = null, InterpolationMode mode = InterpolationMode.Nearest,
                bool? align_corners = null, bool recompute_scale_factor = false, bool antialias = false)
            {
                if (x.ndim != 4) throw new ArgumentException($"interpolate() resizes [N, C, H, W]; got [{string.Join(", ", x.shape)}].", nameof(x));
                if (size is null == scale_factor is null) throw new ArgumentException("Give either a size or a scale factor.", nameof(size));
                if (antialias && mode is not (InterpolationMode.Bilinear or InterpolationMode.Bicubic))
                    throw new ArgumentException("Only bilinear and bicubic interpolation can be anti-aliased.", nameof(antialias));
                if (size is { Length: 1 }) size = [size[0], size[0]];
                if (scale_factor is { Length: 1 }) scale_factor = [scale_factor[0], scale_factor[0]];
                if (scale_factor is not null && recompute_scale_factor)
                {
                    size = [(long)Math.Floor(x.size(2) * scale_factor[0]), (long)Math.Floor(x.size(3) * scale_factor[1])];
                    scale_factor = null;
                }
                var corners = align_corners ?? false;
                return mode switch
                {
                    InterpolationMode.Nearest => Nearest2d.Call(x, size, scale_factor),
                    InterpolationMode.NearestExact => NearestExact2d.Call(x, size, scale_factor),
                    InterpolationMode.Bilinear => (antialias ? BilinearAntialias2d : Bilinear2d).Call(x, size, corners, scale_factor),
                    InterpolationMode.Bicubic => (antialias ? BicubicAntialias2d : Bicubic2d).Call(x, size, corners, scale_factor),
                    InterpolationMode.Area => adaptive_avg_pool2d(
                        x, size ?? [(long)Math.Floor(x.size(2) * scale_factor![0]), (long)Math.Floor(x.size(3) * scale_factor[1])]),
                    _ => throw new ArgumentException($"{mode} interpolation does not resize [N, C, H, W].", nameof(mode)),
                };
            }
        }
    }
}
