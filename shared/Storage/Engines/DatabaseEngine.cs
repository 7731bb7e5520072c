using System.Data.Common;

namespace DmlPipeline.Storage.Engines;

/// <summary>What differs between the databases that can hold the pipeline's state. The SQL is the same but for the few words here.</summary>
internal abstract class DatabaseEngine : IDisposable
{
    /// <summary>Makes the connections, and what they are told.</summary>
    public abstract (DbProviderFactory Factory, string ConnectionString) Provider { get; }

    /// <summary>Ends the names of its migration scripts.</summary>
    public abstract string ScriptSuffix { get; }

    /// <summary>Whether writers of one process must take turns, because the database lets one write at a time.</summary>
    public abstract bool WritesOneAtATime { get; }

    /// <summary>Ends a subquery that picks rows to update: rows that another transaction has picked are passed over.</summary>
    public abstract string SkipLocked { get; }

    /// <summary>An aggregate: the texts, with commas between them.</summary>
    public abstract string Joined(string expression);

    /// <summary>A condition: the value before it is one of those in the parameter.</summary>
    public abstract string IsAnyOf(string parameter);

    public abstract Task<DbConnection> Connect(CancellationToken cancel);

    /// <summary>Begins a transaction whose effect is as if no other ran beside it.</summary>
    public abstract Task<DbTransaction> Begin(DbConnection connection, CancellationToken cancel);

    /// <summary>Begins a transaction for one statement: the locks on the rows that it changes are all it needs.</summary>
    public abstract Task<DbTransaction> BeginStatement(DbConnection connection, CancellationToken cancel);

    /// <summary>Whether the error undid the transaction for a reason that may be gone when it is repeated.</summary>
    /// <param name="error">What the transaction ended with.</param>
    /// <param name="whileCommitting">True when the error may also mean that the commit succeeded and only its answer was lost.</param>
    public abstract bool MayRepeat(Exception error, bool whileCommitting);

    /// <summary>Keeps other processes from bringing the schema up to date at the same time, until the transaction ends.</summary>
    /// <returns>How many scripts have run.</returns>
    public abstract Task<int> LockSchema(Transaction transaction);

    public abstract Task SetSchema(Transaction transaction, int scripts);

    public abstract void Dispose();
}
