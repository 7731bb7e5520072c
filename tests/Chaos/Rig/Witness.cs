using System.Threading.Channels;
using Npgsql;

namespace DmlPipeline.Chaos.Rig;

/// <param name="Process">Name of the service process that committed it.</param>
/// <param name="What"><c>inbox</c>, <c>outbox</c> or <c>done</c>.</param>
internal sealed record Commit(string Process, string What);

/// <summary>
/// Sees, inside the database, what processes commit and when jobs change hands: triggers write down every lease, and tell of commits the
/// moment they happen. The pipeline knows nothing of it.
/// </summary>
internal sealed class Witness(string connection)
{
    private const string Triggers =
        """
        create table chaos_leases (
            id bigint generated always as identity primary key, at bigint not null, job text not null,
            state_before text not null, state text not null, worker_before text, worker text, until_before bigint);
        create function chaos_lease() returns trigger language plpgsql security definer as $$ begin
            if (new.state, new.leased_by) is distinct from (old.state, old.leased_by) then
                insert into chaos_leases (at, job, state_before, state, worker_before, worker, until_before)
                values (extract(epoch from clock_timestamp()) * 1000, new.id, old.state, new.state, old.leased_by, new.leased_by, old.lease_until);
            end if;
            if new.state = 'done' and old.state <> 'done' then perform pg_notify('chaos', current_setting('application_name') || ' done'); end if;
            return null;
        end $$;
        create trigger chaos_lease after update on jobs for each row execute function chaos_lease();
        create function chaos_commit() returns trigger language plpgsql as $$ begin
            perform pg_notify('chaos', current_setting('application_name') || ' ' || tg_table_name);
            return null;
        end $$;
        create trigger chaos_inbox after insert on inbox for each statement execute function chaos_commit();
        create trigger chaos_outbox after insert on outbox for each statement execute function chaos_commit();
        """;

    private readonly List<Channel<Commit>> watchers = [];

    public async Task Install(CancellationToken cancel)
    {
        await using var database = new NpgsqlConnection(connection);
        await database.OpenAsync(cancel);
        await using var command = new NpgsqlCommand(Triggers, database);
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Listens until cancelled, also across restarts of the server.</summary>
    public async Task Run(CancellationToken cancel)
    {
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await using var database = new NpgsqlConnection(connection);
                await database.OpenAsync(cancel);
                database.Notification += (_, told) => Tell(told.Payload);
                await using (var command = new NpgsqlCommand("listen chaos", database)) await command.ExecuteNonQueryAsync(cancel);
                while (true) await database.WaitAsync(cancel);
            }
            catch (NpgsqlException)
            {
                await Task.Delay(200, cancel);
            }
        }
    }

    /// <summary>The next commit that fulfils the condition; null when there is none within the time.</summary>
    public async Task<Commit?> Next(Func<Commit, bool> which, TimeSpan within, CancellationToken cancel)
    {
        var channel = Channel.CreateUnbounded<Commit>();
        lock (watchers) watchers.Add(channel);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(within);
        try
        {
            while (true)
            {
                var commit = await channel.Reader.ReadAsync(patience.Token);
                if (which(commit)) return commit;
            }
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
        finally
        {
            lock (watchers) watchers.Remove(channel);
        }
    }

    private void Tell(string payload)
    {
        if (payload.Split(' ') is not [var process, var what]) return;
        lock (watchers)
            foreach (var watcher in watchers) watcher.Writer.TryWrite(new Commit(process, what));
    }
}
