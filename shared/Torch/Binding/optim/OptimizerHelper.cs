using static TorchSharp.torch;

namespace TorchSharp.Modules;

public class OptimizerOptions
{
    public double? LearningRate { get; set; }

    public double InitialLearningRate { get; set; }
}

/// <summary>Parameters that share their options.</summary>
public class ParamGroup : optim.ILearningRateController
{
    public IEnumerable<Parameter> Parameters { get; set; } = [];

    public OptimizerOptions Options { get; set; } = new();

    public double LearningRate
    {
        get => Options.LearningRate ?? 0;
        set => Options.LearningRate = value;
    }

    public double InitialLearningRate
    {
        get => Options.InitialLearningRate;
        set => Options.InitialLearningRate = value;
    }
}

public class ParamGroup<TOptions> : ParamGroup
    where TOptions : OptimizerOptions, new()
{
    public ParamGroup()
    {
    }

    public ParamGroup(IEnumerable<Parameter> parameters, TOptions? options = null)
    {
        Parameters = [.. parameters];
        base.Options = options ?? new TOptions();
        InitialLearningRate = LearningRate;
    }

    public new TOptions Options
    {
        get => (TOptions)base.Options;
        set => base.Options = value;
    }
}

/// <summary>What the optimisers share: the walk over groups, and a few tensors of state for each parameter.</summary>
public abstract class OptimizerHelper : optim.Optimizer
{
    private readonly Dictionary<Parameter, State> states = new(ReferenceEqualityComparer.Instance);

    private protected OptimizerHelper()
    {
    }

    public override Tensor? step(Func<Tensor>? closure = null)
    {
        Tensor? loss = null;
        if (closure is not null)
        {
            using var recording = enable_grad();
            loss = closure();
        }
        using var quiet = no_grad();
        foreach (var group in Groups)
        {
            foreach (var parameter in group.Parameters)
            {
                using var scope = NewDisposeScope();
                if (parameter.grad is not { } grad) continue;
                if (!states.TryGetValue(parameter, out var state)) states[parameter] = state = new State();
                state.Step++;
                Update(group, parameter, grad, state);
            }
        }
        return loss;
    }

    private protected abstract void Update(ParamGroup group, Parameter parameter, Tensor grad, State state);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            foreach (var state in states.Values) state.Dispose();
            states.Clear();
        }
        base.Dispose(disposing);
    }

    /// <summary>The tensors kept for one parameter, and how many steps it has taken.</summary>
    private protected sealed class State : IDisposable
    {
        private readonly Dictionary<string, Tensor> tensors = new(StringComparer.Ordinal);

        internal long Step { get; set; }

        /// <summary>The tensor of that name, zeros like the parameter at first.</summary>
        internal Tensor Zeros(string name, Tensor like)
        {
            if (!tensors.TryGetValue(name, out var tensor)) tensors[name] = tensor = zeros_like(like).DetachFromDisposeScope();
            return tensor;
        }

        public void Dispose()
        {
            foreach (var tensor in tensors.Values) tensor.Dispose();
        }
    }
}
