namespace TorchSharp;

public static partial class torch
{
    public static partial class optim
    {
        public static partial class lr_scheduler
        {
            public static partial class impl
            {
                /// <summary>Up to the largest rate and down to nearly nothing (Smith and Topin, arXiv:1708.07120); momentum runs the other way.</summary>
                public class OneCycleLR : LRScheduler
                {
                    private readonly double[] peaks;
                    private readonly (double End, Level From, Level To)[] phases;
                    private readonly int total;
                    private readonly bool cosine;
                    private readonly bool cycleMomentum;
                    private readonly double baseMomentum;
                    private readonly double maxMomentum;
                    private readonly double startDivisor;
                    private readonly double endDivisor;

                    public OneCycleLR(
                        Optimizer optimizer, double max_lr, int total_steps = -1, int epochs = -1, int steps_per_epoch = -1, double pct_start = 0.3,
                        AnnealStrategy anneal_strategy = AnnealStrategy.Cos, bool cycle_momentum = true, double base_momentum = 0.85,
                        double max_momentum = 0.95, double div_factor = 25, double final_div_factor = 1e4, bool three_phase = false,
                        int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch)
                    {
                        total = total_steps > 0 ? total_steps : epochs * steps_per_epoch;
                        if (total <= 0 || (total_steps <= 0 && epochs <= 0))
                            throw new ArgumentException("Give the total number of steps, or both epochs and steps per epoch.", nameof(total_steps));
                        if (pct_start is < 0 or > 1) throw new ArgumentException("The rising part must be a share between 0 and 1.", nameof(pct_start));
                        if (cycle_momentum && optimizer is not (IMomentum or IBetas))
                            throw new ArgumentException("The optimiser has no momentum to cycle.", nameof(cycle_momentum));
                        peaks = [.. optimizer.ParamGroups.Select(_ => max_lr)];
                        cosine = anneal_strategy == AnnealStrategy.Cos;
                        cycleMomentum = cycle_momentum;
                        baseMomentum = base_momentum;
                        maxMomentum = max_momentum;
                        startDivisor = div_factor;
                        endDivisor = final_div_factor;
                        phases = three_phase
                            ? [(pct_start * total - 1, Level.Start, Level.Peak), (2 * pct_start * total - 2, Level.Peak, Level.Start), (total - 1, Level.Start, Level.End)]
                            : [(pct_start * total - 1, Level.Start, Level.Peak), (total - 1, Level.Peak, Level.End)];
                        base.step(null);
                    }

                    public enum AnnealStrategy
                    {
                        Cos = 0,
                        Linear = 1,
                    }

                    private enum Level
                    {
                        Start,
                        Peak,
                        End,
                    }

                    internal override double Rate(double start, int at, int group)
                    {
                        var peak = peaks[group];
                        return Between(at, level => level switch
                        {
                            Level.Peak => peak,
                            Level.Start => peak / startDivisor,
                            _ => peak / startDivisor / endDivisor,
                        });
                    }

                    internal override void Stepped(int at)
                    {
                        if (!cycleMomentum) return;
                        var momentum = Between(at, level => level == Level.Peak ? baseMomentum : maxMomentum);
                        foreach (var group in Optimizer.ParamGroups)
                        {
                            if (group is IBetas betas) betas.Betas = (momentum, betas.Betas.Item2);
                            else if (group is IMomentum single) single.Momentum = momentum;
                        }
                    }

                    private double Between(int at, Func<Level, double> value)
                    {
                        if (at > total) throw new InvalidOperationException($"The schedule has {total} steps; step {at} lies beyond its end.");
                        double begin = 0;
                        for (var i = 0; ; i++)
                        {
                            var (end, from, to) = phases[i];
                            if (at <= end || i == phases.Length - 1) return Anneal(value(from), value(to), (at - begin) / (end - begin));
                            begin = end;
                        }
                    }

                    private double Anneal(double from, double to, double share) =>
                        cosine ? to + (from - to) / 2 * (Math.Cos(Math.PI * share) + 1) : (to - from) * share + from;
                }
            }
        }
    }
}
