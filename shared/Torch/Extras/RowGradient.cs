using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>The gradient of some rows of a parameter, whose other rows took no part.</summary>
/// <param name="Parameter">[M, ..].</param>
/// <param name="Rows">[S] int64, each at most once.</param>
/// <param name="Gradient">[S, ..].</param>
public readonly record struct RowGradient(Parameter Parameter, Tensor Rows, Tensor Gradient);
