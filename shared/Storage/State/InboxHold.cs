using System.Data.Common;

namespace DmlPipeline.Storage.State;

/// <summary>
/// Keeps a dataset's inbox from settling while files are copied into it, however long one of them takes. Whoever dies while holding
/// is forgotten after a while.
/// </summary>
public sealed class InboxHold : IAsyncDisposable
{
    private static readonly TimeSpan Lasts = TimeSpan.FromSeconds(20);

    // What fails once is tried again before the hold is over.
    private const int RenewalsInTime = 4;

    private readonly Database database;
    private readonly string id = Guid.NewGuid().ToString("N");
    private readonly string dataset;
    private readonly TimeSpan lasts;
    private readonly CancellationTokenSource ended = new();
    private Task renewal = Task.CompletedTask;

    private InboxHold(Database database, string dataset, TimeSpan lasts) => (this.database, this.dataset, this.lasts) = (database, dataset, lasts);

    /// <summary>Holds the dataset's inbox until the result is disposed.</summary>
    public static Task<InboxHold> Take(Database database, string dataset, CancellationToken cancel) => Take(database, dataset, Lasts, cancel);

    /// <inheritdoc cref="Take(Database, string, CancellationToken)"/>
    /// <param name="database">The state.</param>
    /// <param name="dataset">Whose inbox.</param>
    /// <param name="lasts">How long it is held when the holder is silent.</param>
    /// <param name="cancel">Ends it.</param>
    internal static async Task<InboxHold> Take(Database database, string dataset, TimeSpan lasts, CancellationToken cancel)
    {
        var hold = new InboxHold(database, dataset, lasts);
        await hold.Extend(cancel);
        hold.renewal = hold.Renew();
        return hold;
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await renewal;
        // If that fails it ends by itself: what was copied is there, and whoever copied it need not copy it again.
        await Attempt(() => database.Write(transaction => transaction.Execute("delete from inbox_holds where id = @id", new { id }), CancellationToken.None));
        ended.Dispose();
    }

    private async Task Renew()
    {
        while (true)
        {
            await Task.Delay(lasts / RenewalsInTime, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ended.IsCancellationRequested) return;
            await Attempt(() => Extend(CancellationToken.None));
        }
    }

    private static async Task Attempt(Func<Task> write)
    {
        try
        {
            await write();
        }
        catch (DbException)
        {
            // A connection that broke at the commit, for example: nobody knows whether it was done, and it does not matter.
        }
    }

    private Task Extend(CancellationToken cancel) =>
        database.Write(transaction => transaction.Execute(
            """
            delete from inbox_holds where held_until < @now;
            insert into inbox_holds (id, dataset, held_until) values (@id, @dataset, @until) on conflict (id) do update set held_until = excluded.held_until
            """,
            new { id, dataset, now = Database.Now, until = Database.Now + (long)lasts.TotalMilliseconds }), cancel);
}
