using static TorchSharp.torch;

namespace TorchSharp
{
    using Modules;

    public static partial class torch
    {
        public static partial class optim
        {
            public static Adam Adam(
                IEnumerable<Parameter> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8,
                double weight_decay = 0, bool amsgrad = false, bool maximize = false) =>
                new(parameters, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize);

            public static Adam Adam(
                IEnumerable<(string name, Parameter parameter)> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8,
                double weight_decay = 0, bool amsgrad = false, bool maximize = false) =>
                new(parameters.Select(p => p.parameter), lr, beta1, beta2, eps, weight_decay, amsgrad, maximize);

            public static Adam Adam(
                IEnumerable<Adam.ParamGroup> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8,
                double weight_decay = 0, bool amsgrad = false, bool maximize = false) =>
                new(parameters, lr, beta1, beta2, eps, weight_decay, amsgrad, maximize);
        }
    }

    namespace Modules
    {
        /// <summary>Adam (Kingma and Ba, arXiv:1412.6980, algorithm 1), with weight decay in the gradient.</summary>
        public class Adam : OptimizerHelper, optim.IBetas
        {
            private readonly Options defaults;

            public Adam(
                IEnumerable<Parameter> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8,
                double weight_decay = 0, bool amsgrad = false, bool maximize = false)
                : this([new ParamGroup { Parameters = [.. parameters] }], lr, beta1, beta2, eps, weight_decay, amsgrad, maximize)
            {
            }

            public Adam(
                IEnumerable<ParamGroup> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8,
                double weight_decay = 0, bool amsgrad = false, bool maximize = false)
            {
                defaults = new Options
                {
                    LearningRate = lr,
                    beta1 = beta1,
                    beta2 = beta2,
                    eps = eps,
                    weight_decay = weight_decay,
                    amsgrad = amsgrad,
                    maximize = maximize,
                };
                foreach (var group in parameters) Add(group);
            }

            public (double, double) Betas
            {
                get => (defaults.beta1!.Value, defaults.beta2!.Value);
                set
                {
                    (defaults.beta1, defaults.beta2) = value;
                    foreach (var group in Groups) ((ParamGroup)group).Betas = value;
                }
            }

            public override void add_param_group(Modules.ParamGroup param_group) => Add((ParamGroup)param_group);

            private void Add(ParamGroup group)
            {
                var options = group.Options;
                options.LearningRate ??= defaults.LearningRate;
                options.beta1 ??= defaults.beta1;
                options.beta2 ??= defaults.beta2;
                options.eps ??= defaults.eps;
                options.weight_decay ??= defaults.weight_decay;
                options.amsgrad ??= defaults.amsgrad;
                options.maximize ??= defaults.maximize;
                group.InitialLearningRate = group.LearningRate;
                base.add_param_group(group);
            }

            private protected override void Update(Modules.ParamGroup group, Parameter parameter, Tensor grad, State state)
            {
                var options = ((ParamGroup)group).Options;
                var (beta1, beta2) = (options.beta1!.Value, options.beta2!.Value);
                if (options.maximize == true) grad = -grad;
                if (options.weight_decay is { } decay and not 0) grad = grad.add(parameter, decay);
                var mean = state.Zeros("exp_avg", parameter).mul_(beta1).add_(grad, 1 - beta1);
                var square = state.Zeros("exp_avg_sq", parameter).mul_(beta2).addcmul_(grad, grad, 1 - beta2);
                if (options.amsgrad == true)
                {
                    var largest = state.Zeros("max_exp_avg_sq", parameter);
                    square = largest.copy_(largest.maximum(square));
                }
                var denominator = (square.sqrt() / Math.Sqrt(1 - Math.Pow(beta2, state.Step))).add_(options.eps!.Value);
                parameter.addcdiv_(mean, denominator, -(group.LearningRate / (1 - Math.Pow(beta1, state.Step))));
            }

            public class Options : OptimizerOptions
            {
                public double? beta1;
                public double? beta2;
                public double? weight_decay;
                public double? eps;
                public bool? amsgrad;
                public bool? maximize;
            }

            public class ParamGroup : ParamGroup<Options>, optim.IBetas
            {
                public ParamGroup() => Options = new Options();

                public ParamGroup(IEnumerable<Parameter> parameters, Options options)
                    : base(parameters, options)
                {
                }

                public ParamGroup(
                    IEnumerable<Parameter> parameters, double lr = 1e-3, double beta1 = 0.9, double beta2 = 0.999, double eps = 1e-8,
                    double weight_decay = 0, bool amsgrad = false, bool maximize = false)
                    : base(parameters, new Options
                    {
                        LearningRate = lr,
                        beta1 = beta1,
                        beta2 = beta2,
                        eps = eps,
                        weight_decay = weight_decay,
                        amsgrad = amsgrad,
                        maximize = maximize,
                    })
                {
                }

                public (double, double) Betas
                {
                    get => (Options.beta1 ?? 0.9, Options.beta2 ?? 0.999);
                    set => (Options.beta1, Options.beta2) = value;
                }
            }
        }
    }
}
