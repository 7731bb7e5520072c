using TorchSharp;

namespace DmlPipeline.Learning.Losses;

/// <summary>Sums of exponentials that neither overflow nor turn into NaN.</summary>
public static class Stable
{
    // Far below every logit of a loss here (|logit| < 1e5), and finite: minus infinity would make 0 * inf = NaN in the gradient of an empty row.
    private const double Absent = -1e9;

    /// <summary>log(1 + exp(x)) for any x; its gradient is sigmoid(x), at zero too.</summary>
    public static torch.Tensor Softplus(torch.Tensor x)
    {
        // log(exp(-m) + exp(x - m)) + m with m = max(x, 0): both exponents are at most zero. m is a constant to the gradient.
        var m = x.detach().clamp_min(0);
        return m + (m.neg().exp() + (x - m).exp()).log();
    }

    /// <summary>The square root of x >= 0, with zero gradient at zero, where the true one is infinite.</summary>
    public static torch.Tensor Sqrt(torch.Tensor x)
    {
        var isZero = x.le(1e-12);
        return x.masked_fill(isZero, 1).sqrt().masked_fill(isZero, 0);
    }

    /// <summary>log of 1 + the sum of exp(x) over the columns in the mask, [B, C] -> [B]; zero for a row without any.</summary>
    public static torch.Tensor Log1pSumExp(torch.Tensor x, torch.Tensor mask) => Softplus(LogSumExp(x, mask)).squeeze(1);

    /// <summary>log of the sum of exp(x) over the columns in the mask, [B, C] -> [B, 1]; about -1e9 for a row without any, with zero gradient
    /// once it has passed through <see cref="Softplus"/>.</summary>
    public static torch.Tensor LogSumExp(torch.Tensor x, torch.Tensor mask) =>
        x.masked_fill(mask.logical_not(), Absent).logsumexp(1, true);
}
