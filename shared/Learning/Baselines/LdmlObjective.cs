namespace DmlPipeline.Learning.Baselines;

/// <summary>
/// The mean negative log-likelihood of LDML over pairs, with its gradient (Guillaumin, Verbeek and Schmid 2009, eq. 4–7; there in M, here in L with
/// M = LᵀL, which keeps M positive semidefinite):
/// <code>
///   u_n = b − |L δ_n|²,   p_n = σ(u_n),   ℓ = −(1/P) Σ_n [t_n ln p_n + (1 − t_n) ln(1 − p_n)]
///   ∂ℓ/∂L = (2/P) Σ_n (t_n − p_n) L δ_n δ_nᵀ,   ∂ℓ/∂b = (1/P) Σ_n (p_n − t_n)
/// </code>
/// </summary>
/// <param name="Differences">δ, [P, d].</param>
/// <param name="Same">The first so many pairs are of one class (t = 1), the others of two (t = 0).</param>
internal sealed record LdmlObjective(DenseMatrix Differences, int Same)
{
    /// <summary>L, [d, d] row-major, and after it b.</summary>
    public int Parameters => (Differences.Columns * Differences.Columns) + 1;

    /// <summary>ℓ, and its gradient in the order of <paramref name="parameters"/>.</summary>
    public (double Value, double[] Gradient) At(double[] parameters)
    {
        var (size, pairs) = (Differences.Columns, Differences.Rows);
        var factor = new DenseMatrix(size, size, parameters[..^1]);
        var mapped = Differences.TimesTransposed(factor); // [P, d] x [d, d] -> [P, d]
        var residuals = new double[pairs];
        double loss = 0, ofBias = 0;
        for (var n = 0; n < pairs; n++)
        {
            double distance = 0;
            foreach (var value in mapped.Row(n)) distance += value * value;
            var (u, t) = (parameters[^1] - distance, n < Same ? 1 : 0);
            // −ln σ(u) = softplus(−u) and −ln(1 − σ(u)) = softplus(u), neither of which overflows.
            loss += Softplus(t == 1 ? -u : u);
            residuals[n] = t - Sigmoid(u);
            ofBias -= residuals[n];
        }
        var gradient = new double[Parameters];
        mapped.ScaledRows(residuals).TransposedTimes(Differences).Scaled(2.0 / pairs).Values.CopyTo(gradient, 0); // [d, P] x [P, d] -> [d, d]
        gradient[^1] = ofBias / pairs;
        return (loss / pairs, gradient);
    }

    private static double Softplus(double x) => Math.Max(x, 0) + Math.Log(1 + Math.Exp(-Math.Abs(x)));

    private static double Sigmoid(double x) => x >= 0 ? 1 / (1 + Math.Exp(-x)) : Math.Exp(x) / (1 + Math.Exp(x));
}
