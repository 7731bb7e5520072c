namespace TorchSharp;

public static partial class torch
{
    public static partial class optim
    {
        public static partial class lr_scheduler
        {
            public static LRScheduler StepLR(Optimizer optimizer, int step_size, double gamma = 0.1, int last_epoch = -1, bool verbose = false) =>
                new impl.StepLR(optimizer, step_size, gamma, last_epoch, verbose);

            public static LRScheduler MultiStepLR(
                Optimizer optimizer, IList<int> milestones, double gamma = 0.1, int last_epoch = -1, bool verbose = false) =>
                new impl.MultiStepLR(optimizer, milestones, gamma, last_epoch, verbose);

            public static LRScheduler ExponentialLR(Optimizer optimizer, double gamma = 0.1, int last_epoch = -1, bool verbose = false) =>
                new impl.ExponentialLR(optimizer, gamma, last_epoch, verbose);

            public static LRScheduler LambdaLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1, bool verbose = false) =>
                new impl.LambdaLR(optimizer, lr_lambda, last_epoch, verbose);

            public static LRScheduler LinearLR(
                Optimizer optimizer, double start_factor = 1.0 / 3, double end_factor = 1.0, int total_iters = 5, int last_epoch = -1, bool verbose = false) =>
                new impl.LinearLR(optimizer, start_factor, end_factor, total_iters, last_epoch, verbose);

            public static LRScheduler CosineAnnealingLR(
                Optimizer optimizer, double T_max, double eta_min = 0, int last_epoch = -1, bool verbose = false) =>
                new impl.CosineAnnealingLR(optimizer, T_max, eta_min, last_epoch, verbose);

            public static LRScheduler SequentialLR(
                Optimizer optimizer, IEnumerable<LRScheduler> schedulers, IEnumerable<int> milestones, int last_epoch = -1) =>
                new impl.SequentialLR(optimizer, schedulers, milestones, last_epoch);

            public static LRScheduler OneCycleLR(
                Optimizer optimizer, double max_lr, int total_steps = -1, int epochs = -1, int steps_per_epoch = -1, double pct_start = 0.3,
                impl.OneCycleLR.AnnealStrategy anneal_strategy = impl.OneCycleLR.AnnealStrategy.Cos, bool cycle_momentum = true,
                double base_momentum = 0.85, double max_momentum = 0.95, double div_factor = 25, double final_div_factor = 1e4,
                bool three_phase = false, int last_epoch = -1, bool verbose = false) =>
                new impl.OneCycleLR(
                    optimizer, max_lr, total_steps, epochs, steps_per_epoch, pct_start, anneal_strategy, cycle_momentum, base_momentum,
                    max_momentum, div_factor, final_div_factor, three_phase, last_epoch, verbose);

            public static partial class impl
            {
                public class StepLR : LRScheduler
                {
                    private readonly int stepSize;
                    private readonly double gamma;

                    public StepLR(Optimizer optimizer, int step_size, double gamma = 0.1, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch)
                    {
                        stepSize = step_size;
                        this.gamma = gamma;
                        base.step(null);
                    }

                    internal override double Rate(double start, int at, int group) => start * Math.Pow(gamma, at / stepSize);
                }

                public class MultiStepLR : LRScheduler
                {
                    private readonly int[] milestones;
                    private readonly double gamma;

                    public MultiStepLR(Optimizer optimizer, IList<int> milestones, double gamma = 0.1, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch)
                    {
                        this.milestones = [.. milestones];
                        this.gamma = gamma;
                        base.step(null);
                    }

                    internal override double Rate(double start, int at, int group) => start * Math.Pow(gamma, milestones.Distinct().Count(m => m <= at));
                }

                public class ExponentialLR : LRScheduler
                {
                    private readonly double gamma;

                    public ExponentialLR(Optimizer optimizer, double gamma = 0.1, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch)
                    {
                        this.gamma = gamma;
                        base.step(null);
                    }

                    internal override double Rate(double start, int at, int group) => start * Math.Pow(gamma, at);
                }

                public class LambdaLR : LRScheduler
                {
                    private readonly Func<int, double>[] factors;

                    public LambdaLR(Optimizer optimizer, Func<int, double> lr_lambda, int last_epoch = -1, bool verbose = false)
                        : this(optimizer, Enumerable.Repeat(lr_lambda, optimizer.ParamGroups.Count()), last_epoch, verbose)
                    {
                    }

                    public LambdaLR(Optimizer optimizer, IEnumerable<Func<int, double>> lr_lambdas, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch)
                    {
                        factors = [.. lr_lambdas];
                        base.step(null);
                    }

                    internal override double Rate(double start, int at, int group) => start * factors[group](at);
                }

                public class LinearLR : LRScheduler
                {
                    private readonly double startFactor;
                    private readonly double endFactor;
                    private readonly int total;

                    public LinearLR(
                        Optimizer optimizer, double start_factor = 1.0 / 3, double end_factor = 1.0, int total_iters = 5, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch)
                    {
                        startFactor = start_factor;
                        endFactor = end_factor;
                        total = total_iters;
                        base.step(null);
                    }

                    internal override double Rate(double start, int at, int group) =>
                        start * (startFactor + (endFactor - startFactor) * Math.Min(total, at) / total);
                }

                /// <summary>Loshchilov and Hutter, arXiv:1608.03983, equation 5, without restarts.</summary>
                public class CosineAnnealingLR : LRScheduler
                {
                    private readonly double period;
                    private readonly double floor;

                    public CosineAnnealingLR(Optimizer optimizer, double T_max, double eta_min = 0, int last_epoch = -1, bool verbose = false)
                        : base(optimizer, last_epoch)
                    {
                        period = T_max;
                        floor = eta_min;
                        base.step(null);
                    }

                    internal override double Rate(double start, int at, int group) =>
                        floor + (start - floor) * (1 + Math.Cos(Math.PI * at / period)) / 2;
                }

                /// <summary>One schedule after another; each begins at its own start when its milestone is reached.</summary>
                public class SequentialLR : LRScheduler
                {
                    private readonly LRScheduler[] parts;
                    private readonly int[] milestones;

                    public SequentialLR(Optimizer optimizer, IEnumerable<LRScheduler> schedulers, IEnumerable<int> milestones, int last_epoch = -1)
                        : base(optimizer, last_epoch)
                    {
                        parts = [.. schedulers];
                        this.milestones = [.. milestones];
                        if (this.milestones.Length != parts.Length - 1)
                            throw new ArgumentException($"{parts.Length} schedules need {parts.Length - 1} milestones between them, not {this.milestones.Length}.", nameof(milestones));
                        if (parts.Any(p => !ReferenceEquals(p.Optimizer, optimizer)))
                            throw new ArgumentException("All schedules must belong to the same optimiser.", nameof(schedulers));
                        base.step(null);
                    }

                    internal override double Rate(double start, int at, int group)
                    {
                        var part = milestones.Count(m => m <= at);
                        return parts[part].Rate(start, part == 0 ? at : at - milestones[part - 1], group);
                    }
                }
            }
        }
    }
}
