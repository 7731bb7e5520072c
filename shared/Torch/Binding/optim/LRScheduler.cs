namespace TorchSharp;

public static partial class torch
{
    public static partial class optim
    {
        public static partial class lr_scheduler
        {
            /// <summary>
            /// Sets the learning rates of an optimiser as a function of how often it has been stepped; call step() once after each unit of
            /// the schedule.
            /// </summary>
            public abstract class LRScheduler
            {
                private readonly Optimizer optimizer;
                private readonly double[] initial;
                private double[] last = [];
                private int epoch;

                private protected LRScheduler(Optimizer optimizer, int lastEpoch)
                {
                    this.optimizer = optimizer;
                    initial = [.. optimizer.ParamGroups.Select(g => g.InitialLearningRate)];
                    epoch = lastEpoch;
                }

                internal Optimizer Optimizer => optimizer;

                public virtual void step() => step(null);

                public virtual void step(int? epoch)
                {
                    this.epoch = epoch ?? this.epoch + 1;
                    last = Rates(this.epoch);
                    foreach (var (group, rate) in optimizer.ParamGroups.Zip(last)) group.LearningRate = rate;
                    Stepped(this.epoch);
                }

                /// <summary>The rate of each parameter group as last set.</summary>
                public IEnumerable<double> get_last_lr() => last;

                /// <summary>The rates at one point of the schedule, whatever was there before.</summary>
                internal double[] Rates(int at)
                {
                    var rates = new double[initial.Length];
                    for (var i = 0; i < rates.Length; i++) rates[i] = Rate(initial[i], at, i);
                    return rates;
                }

                internal abstract double Rate(double start, int at, int group);

                /// <summary>What else follows the schedule (momentum).</summary>
                internal virtual void Stepped(int at)
                {
                }
            }
        }
    }
}
