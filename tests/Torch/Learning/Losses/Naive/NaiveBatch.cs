using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Tests.Torch.Learning.Losses.Naive;

/// <summary>A batch in plain C#, and the words that the definitions are written in.</summary>
internal sealed class NaiveBatch
{
    private readonly LossSettings loss;
    private readonly double[][] then;

    /// <param name="x">Features.</param>
    /// <param name="then">Features at which weights are taken that are constants to the gradient.</param>
    /// <param name="labels">Classes.</param>
    /// <param name="parameters">What the loss learns, as rows.</param>
    /// <param name="loss">The loss and its options.</param>
    public NaiveBatch(double[][] x, double[][] then, int[] labels, IReadOnlyDictionary<string, double[][]> parameters, LossSettings loss)
    {
        (X, Labels, Parameters, this.loss) = (x, labels, parameters, loss);
        F = [.. x.Select(NaiveMath.Unit)];
        this.then = [.. then.Select(NaiveMath.Unit)];
    }

    /// <summary>Features as they are.</summary>
    public double[][] X { get; }

    /// <summary>Features of unit length.</summary>
    public double[][] F { get; }

    public int[] Labels { get; }

    public IReadOnlyDictionary<string, double[][]> Parameters { get; }

    public double[][] Weights => Parameters["weights"];

    public int Count => X.Length;

    public int Dimensions => X[0].Length;

    public IEnumerable<int> All => Enumerable.Range(0, Count);

    /// <summary>Those with a positive and a negative.</summary>
    public IEnumerable<int> Anchors => All.Where(a => Positives(a).Any() && Negatives(a).Any());

    public IEnumerable<(int A, int P)> PositivePairs => All.SelectMany(a => Positives(a).Select(p => (a, p)));

    public IEnumerable<(int A, int N)> NegativePairs => All.SelectMany(a => Negatives(a).Select(n => (a, n)));

    public double this[string option] => loss.Number(option);

    public bool Flag(string option) => loss.Flag(option);

    public string Choice(string option) => loss.Choice(option);

    public IEnumerable<int> Positives(int a) => All.Where(i => i != a && Labels[i] == Labels[a]);

    public IEnumerable<int> Negatives(int a) => All.Where(i => Labels[i] != Labels[a]);

    public double Cosine(int i, int j) => NaiveMath.Dot(F[i], F[j]);

    public double CosineThen(int i, int j) => NaiveMath.Dot(then[i], then[j]);

    public double CosineThen(int i, double[] weight) => NaiveMath.Dot(then[i], NaiveMath.Unit(weight));

    public double CosineTo(int i, double[] weight) => NaiveMath.Dot(F[i], NaiveMath.Unit(weight));

    public double Distance(int i, int j) => NaiveMath.Distance(F[i], F[j]);
}
