namespace DmlPipeline.Storage.State;

/// <summary>
/// Keeps a dataset's inbox from settling while files are copied into it, however long one of them takes. Whoever dies while holding
/// is forgotten after a while.
/// </summary>
public sealed class InboxHold : IAsyncDisposable
{
    private static readonly TimeSpan Lasts = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan RenewEvery = TimeSpan.FromSeconds(5);

    private readonly Database database;
    private readonly string id = Guid.NewGuid().ToString("N");
    private readonly string dataset;
    private readonly CancellationTokenSource ended = new();
    private Task renewal = Task.CompletedTask;

    private InboxHold(Database database, string dataset) => (this.database, this.dataset) = (database, dataset);

    /// <summary>Holds the dataset's inbox until the result is disposed.</summary>
    public static async Task<InboxHold> Take(Database database, string dataset, CancellationToken cancel)
    {
        var hold = new InboxHold(database, dataset);
        await hold.Extend(cancel);
        hold.renewal = hold.Renew();
        return hold;
    }

    public async ValueTask DisposeAsync()
    {
        await ended.CancelAsync();
        await renewal;
        await database.Write(transaction => transaction.Execute("delete from inbox_holds where id = @id", new { id }), CancellationToken.None);
        ended.Dispose();
    }

    private async Task Renew()
    {
        while (true)
        {
            await Task.Delay(RenewEvery, ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (ended.IsCancellationRequested) return;
            await Extend(CancellationToken.None);
        }
    }

    private Task Extend(CancellationToken cancel) =>
        database.Write(transaction => transaction.Execute(
            """
            delete from inbox_holds where held_until < @now;
            insert into inbox_holds (id, dataset, held_until) values (@id, @dataset, @until) on conflict (id) do update set held_until = excluded.held_until
            """,
            new { id, dataset, now = Database.Now, until = Database.Now + (long)Lasts.TotalMilliseconds }), cancel);
}
