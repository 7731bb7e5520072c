namespace DmlPipeline.Learning.Baselines;

/// <summary>Minimises a smooth function by limited-memory BFGS (Nocedal 1980), with steps halved until they descend enough (Armijo).</summary>
internal static class Lbfgs
{
    private const int Memory = 10, MostHalvings = 40;
    private const double EnoughDescent = 1e-4;

    /// <param name="objective">Its value and gradient.</param>
    /// <param name="start">Where to begin.</param>
    /// <param name="iterations">At most so many steps.</param>
    /// <param name="tolerance">Ends where no entry of the gradient is larger.</param>
    /// <param name="cancel">Stops between steps.</param>
    public static double[] Minimise(Func<double[], (double Value, double[] Gradient)> objective, double[] start, int iterations, double tolerance, CancellationToken cancel)
    {
        var at = start;
        var (value, gradient) = objective(at);
        var steps = new LinkedList<(double[] Step, double[] Change)>();
        for (var iteration = 0; iteration < iterations && gradient.Max(Math.Abs) > tolerance; iteration++)
        {
            cancel.ThrowIfCancellationRequested();
            var direction = Direction(gradient, steps);
            var slope = Dot(direction, gradient);
            // The first step knows no scale: let it be no longer than 1.
            var length = steps.Count == 0 ? Math.Min(1, 1 / Math.Sqrt(-slope)) : 1;
            var next = Search(objective, at, value, direction, slope, length);
            if (next is not { } found) break;

            double[] step = [.. found.At.Zip(at, (a, b) => a - b)], change = [.. found.Gradient.Zip(gradient, (a, b) => a - b)];
            // Without positive curvature along the step the approximation would lose its definiteness.
            if (Dot(step, change) > 1e-12 * Dot(change, change)) steps.AddLast((step, change));
            if (steps.Count > Memory) steps.RemoveFirst();
            (at, value, gradient) = found;
        }
        return at;
    }

    private static (double[] At, double Value, double[] Gradient)? Search(
        Func<double[], (double Value, double[] Gradient)> objective, double[] at, double value, double[] direction, double slope, double length)
    {
        for (var halving = 0; halving < MostHalvings; halving++, length /= 2)
        {
            var scale = length;
            double[] tried = [.. at.Zip(direction, (a, d) => a + (scale * d))];
            var (there, gradient) = objective(tried);
            if (there <= value + (EnoughDescent * length * slope)) return (tried, there, gradient);
        }
        return null;
    }

    /// <summary>Minus the approximate inverse Hessian times the gradient, by the two-loop recursion.</summary>
    private static double[] Direction(double[] gradient, LinkedList<(double[] Step, double[] Change)> steps)
    {
        double[] direction = [.. gradient.Select(value => -value)];
        var weights = new Stack<double>();
        for (var node = steps.Last; node is not null; node = node.Previous)
        {
            var weight = Dot(node.Value.Step, direction) / Dot(node.Value.Step, node.Value.Change);
            Add(direction, -weight, node.Value.Change);
            weights.Push(weight);
        }
        if (steps.Last is { Value: var (step, change) })
        {
            var scale = Dot(step, change) / Dot(change, change);
            for (var i = 0; i < direction.Length; i++) direction[i] *= scale;
        }
        for (var node = steps.First; node is not null; node = node.Next)
        {
            var correction = Dot(node.Value.Change, direction) / Dot(node.Value.Step, node.Value.Change);
            Add(direction, weights.Pop() - correction, node.Value.Step);
        }
        return direction;
    }

    private static double Dot(double[] a, double[] b)
    {
        double sum = 0;
        for (var i = 0; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    private static void Add(double[] target, double factor, double[] part)
    {
        for (var i = 0; i < target.Length; i++) target[i] += factor * part[i];
    }
}
