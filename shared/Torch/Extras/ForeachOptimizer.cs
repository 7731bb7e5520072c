using TorchSharp.Modules;
using static TorchSharp.torch;

namespace DmlPipeline.Torch;

/// <summary>
/// An optimiser that updates all parameters of a group in a few calls instead of a few calls for each parameter.
/// Parameters without a gradient are left alone, as PyTorch does.
/// </summary>
public abstract class ForeachOptimizer : IDisposable
{
    private readonly Dictionary<Parameter, ParameterState> states = new(ReferenceEqualityComparer.Instance);
    private bool disposed;

    private protected ForeachOptimizer(IReadOnlyList<ParameterGroup> groups) => Groups = groups;

    public IReadOnlyList<ParameterGroup> Groups { get; }

    private protected abstract IReadOnlyList<string> StateNames { get; }

    /// <summary>Updates every parameter from its gradient.</summary>
    public void Step()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        foreach (var group in Groups)
        {
            var moving = new List<(Parameter Parameter, Tensor Grad, ParameterState State)>(group.Parameters.Count);
            foreach (var parameter in group.Parameters)
                if (parameter.grad is { } grad) moving.Add((parameter, grad, StateOf(parameter)));
            // Those that have taken the same number of steps share their constants: all of them, unless some missed a gradient.
            foreach (var alike in moving.GroupBy(m => m.State.Steps))
            {
                var rows = alike.ToArray();
                foreach (var row in rows) row.State.Steps++;
                Update(
                    group,
                    alike.Key + 1,
                    [.. rows.Select(r => (Tensor)r.Parameter)],
                    [.. rows.Select(r => r.Grad)],
                    [.. rows.Select(r => r.State.Tensors)]);
            }
        }
    }

    /// <summary>Updates some rows of parameters, and their part of the optimiser's state, as if there were no others: those stand still, momentum too.</summary>
    /// <exception cref="ArgumentException">A parameter is not of this optimiser.</exception>
    public void StepRows(IReadOnlyList<RowGradient> gradients)
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (parameter, rows, gradient) in gradients)
        {
            var group = Groups.FirstOrDefault(candidate => candidate.Parameters.Contains(parameter))
                ?? throw new ArgumentException("A parameter whose rows have a gradient is in none of the optimiser's groups.", nameof(gradients));
            var state = StateOf(parameter);
            Tensor[] whole = [parameter, .. state.Tensors];
            var part = Array.ConvertAll(whole, tensor => tensor.index_select(0, rows));
            Update(group, ++state.Steps, [part[0]], [gradient], [part[1..]]);
            for (var i = 0; i < whole.Length; i++) whole[i].index_copy_(0, rows, part[i]);
        }
    }

    /// <summary>Drops every gradient, so that the next backward pass writes instead of adding.</summary>
    public void ZeroGrad()
    {
        foreach (var group in Groups)
            foreach (var parameter in group.Parameters) parameter.grad = null;
    }

    /// <summary>
    /// What must be saved to go on later: by "group.index.name", the tensors themselves, and the steps as a tensor of one number.
    /// Dispose the step tensors after use, or call this inside a dispose scope.
    /// </summary>
    public IReadOnlyDictionary<string, Tensor> State()
    {
        var result = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (key, parameter) in Keys())
        {
            if (!states.TryGetValue(parameter, out var state)) continue;
            result[$"{key}.step"] = tensor(state.Steps);
            for (var i = 0; i < StateNames.Count; i++) result[$"{key}.{StateNames[i]}"] = state.Tensors[i];
        }
        return result;
    }

    /// <summary>Takes over what <see cref="State"/> gave, by value.</summary>
    /// <exception cref="InvalidDataException">The state belongs to other parameters.</exception>
    public void LoadState(IReadOnlyDictionary<string, Tensor> state)
    {
        using var quiet = no_grad();
        using var scope = NewDisposeScope();
        var known = 0;
        foreach (var (key, parameter) in Keys())
        {
            Forget(parameter);
            if (!state.TryGetValue($"{key}.step", out var steps)) continue;
            known += 1 + StateNames.Count;
            var own = StateOf(parameter);
            own.Steps = steps.cpu().item<long>();
            for (var i = 0; i < StateNames.Count; i++)
            {
                if (!state.TryGetValue($"{key}.{StateNames[i]}", out var saved) || !saved.shape.AsSpan().SequenceEqual(parameter.shape))
                    throw new InvalidDataException($"The optimiser's state has no '{key}.{StateNames[i]}' of shape [{string.Join(", ", parameter.shape)}].");
                own.Tensors[i].copy_(saved);
            }
        }
        if (known != state.Count) throw new InvalidDataException($"The optimiser's state has {state.Count} entries, of which {known} belong to its parameters.");
    }

    public void Dispose()
    {
        if (disposed) return;
        disposed = true;
        foreach (var parameter in states.Keys.ToArray()) Forget(parameter);
        GC.SuppressFinalize(this);
    }

    /// <summary>Updates parameters that have all taken <paramref name="step"/> steps, this one included.</summary>
    private protected abstract void Update(ParameterGroup group, long step, Tensor[] parameters, Tensor[] grads, Tensor[][] state);

    private protected static Tensor[] Column(Tensor[][] state, int column) => Array.ConvertAll(state, row => row[column]);

    private ParameterState StateOf(Parameter parameter)
    {
        if (states.TryGetValue(parameter, out var state)) return state;
        var tensors = StateNames.Select(_ => zeros_like(parameter).DetachFromDisposeScope()).ToArray();
        return states[parameter] = new ParameterState(tensors);
    }

    private void Forget(Parameter parameter)
    {
        if (!states.Remove(parameter, out var state)) return;
        foreach (var tensor in state.Tensors) tensor.Dispose();
    }

    private IEnumerable<(string Key, Parameter Parameter)> Keys()
    {
        for (var g = 0; g < Groups.Count; g++)
            for (var i = 0; i < Groups[g].Parameters.Count; i++) yield return ($"{g}.{i}", Groups[g].Parameters[i]);
    }

    private sealed class ParameterState(Tensor[] tensors)
    {
        public long Steps { get; set; }

        public Tensor[] Tensors { get; } = tensors;
    }
}
