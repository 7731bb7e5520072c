using static TorchSharp.torch;

namespace TorchSharp;

/// <summary>
/// Disposes, when it ends, every tensor made on its thread while it was the innermost scope, except those moved out of it.
/// </summary>
public sealed class DisposeScope : IDisposable
{
    private readonly DisposeScopeManager manager;
    private List<Tensor> tensors = [];
    private bool disposed;

    internal DisposeScope(DisposeScopeManager manager)
    {
        this.manager = manager;
        OuterScope = manager.CurrentDisposeScope;
    }

    public IReadOnlyList<IDisposable> DisposablesView => [.. Live()];

    public int DisposablesCount => Live().Count;

    internal DisposeScope? OuterScope { get; set; }

    public bool Contains(IDisposable disposable) => disposable is Tensor tensor && ReferenceEquals(tensor.OwningDisposeScope, this);

    public void Attach(IDisposable disposable) => Attach((IEnumerable<IDisposable>)[disposable]);

    public void Attach(params IDisposable[] disposables) => Attach((IEnumerable<IDisposable>)disposables);

    public IReadOnlyList<IDisposable> Attach(IEnumerable<IDisposable> disposables)
    {
        Live();
        var attached = new List<IDisposable>();
        foreach (var disposable in disposables)
        {
            if (Take(disposable)) manager.StatisticsInstance.TensorStatistics.AttachedToScopeCount++;
            attached.Add(disposable);
        }
        return attached;
    }

    public T Detach<T>(T disposable)
        where T : IDisposable
    {
        Detach((IEnumerable<IDisposable>)[disposable]);
        return disposable;
    }

    public (T1 first, T2 second) Detach<T1, T2>(T1 first, T2 second)
        where T1 : IDisposable
        where T2 : IDisposable
    {
        Detach((IEnumerable<IDisposable>)[first, second]);
        return (first, second);
    }

    public void Detach(params IDisposable[] disposables) => Detach((IEnumerable<IDisposable>)disposables);

    public void Detach(IEnumerable<IDisposable> disposables)
    {
        Live();
        foreach (var disposable in disposables)
        {
            if (!Contains(disposable)) continue;
            Remove((Tensor)disposable);
            manager.StatisticsInstance.TensorStatistics.DetachedFromScopeCount++;
        }
    }

    public T MoveToOuter<T>(T disposable)
        where T : IDisposable
    {
        MoveToOther(OuterScope, (IEnumerable<IDisposable>)[disposable]);
        return disposable;
    }

    public (T1 first, T2 second) MoveToOuter<T1, T2>(T1 first, T2 second)
        where T1 : IDisposable
        where T2 : IDisposable
    {
        MoveToOther(OuterScope, (IEnumerable<IDisposable>)[first, second]);
        return (first, second);
    }

    public (T1 first, T2 second, T3 third) MoveToOuter<T1, T2, T3>(T1 first, T2 second, T3 third)
        where T1 : IDisposable
        where T2 : IDisposable
        where T3 : IDisposable
    {
        MoveToOther(OuterScope, (IEnumerable<IDisposable>)[first, second, third]);
        return (first, second, third);
    }

    public void MoveToOuter(params IDisposable[] disposables) => MoveToOther(OuterScope, (IEnumerable<IDisposable>)disposables);

    public void MoveToOuter(IEnumerable<IDisposable> disposables) => MoveToOther(OuterScope, disposables);

    public T MoveToOther<T>(DisposeScope? scope, T disposable)
        where T : IDisposable
    {
        MoveToOther(scope, (IEnumerable<IDisposable>)[disposable]);
        return disposable;
    }

    public void MoveToOther(DisposeScope? scope, params IDisposable[] disposables) =>
        MoveToOther(scope, (IEnumerable<IDisposable>)disposables);

    public void MoveToOther(DisposeScope? scope, IEnumerable<IDisposable> disposables)
    {
        Live();
        if (scope is null)
        {
            Detach(disposables);
            return;
        }
        foreach (var disposable in disposables)
            if (Contains(disposable)) scope.Take(disposable);
    }

    public void DisposeEverything() => DisposeEverythingBut((IEnumerable<IDisposable>)[]);

    public T DisposeEverythingBut<T>(T keep)
        where T : IDisposable
    {
        DisposeEverythingBut((IEnumerable<IDisposable>)[keep]);
        return keep;
    }

    public void DisposeEverythingBut(params IDisposable[] keep) => DisposeEverythingBut((IEnumerable<IDisposable>)keep);

    public void DisposeEverythingBut(IEnumerable<IDisposable> inKeep)
    {
        var old = Live();
        var keep = new HashSet<IDisposable>(inKeep, ReferenceEqualityComparer.Instance);
        tensors = keep.Count == 0 ? [] : new List<Tensor>(keep.Count);
        foreach (var tensor in old)
        {
            if (keep.Contains(tensor))
            {
                tensor.ScopeSlot = tensors.Count;
                tensors.Add(tensor);
            }
            else
            {
                tensor.ScopeSlot = -1; // no longer listed: its disposal need not look for it
                tensor.Dispose();
            }
        }
    }

    public void MarkAsDisposed(IDisposable disposable)
    {
        Live();
        if (Contains(disposable)) Remove((Tensor)disposable);
    }

    public void Dispose()
    {
        if (disposed) return;
        DisposeEverything();
        manager.RemoveDisposeScope(this);
        disposed = true;
    }

    internal void Add(Tensor tensor)
    {
        tensor.OwningDisposeScope = this;
        tensor.ScopeSlot = tensors.Count;
        tensors.Add(tensor);
    }

    internal void Remove(Tensor tensor)
    {
        var slot = tensor.ScopeSlot;
        tensor.OwningDisposeScope = null;
        if (slot < 0) return;
        var last = tensors[^1];
        tensors[slot] = last;
        last.ScopeSlot = slot;
        tensors.RemoveAt(tensors.Count - 1);
        tensor.ScopeSlot = -1;
    }

    private bool Take(IDisposable disposable)
    {
        if (disposable is not Tensor tensor) throw new InvalidOperationException("A dispose scope can only manage tensors.");
        if (ReferenceEquals(tensor.OwningDisposeScope, this)) return false;
        tensor.OwningDisposeScope?.Remove(tensor);
        Add(tensor);
        return true;
    }

    private List<Tensor> Live()
    {
        ObjectDisposedException.ThrowIf(disposed, this);
        return tensors;
    }
}
