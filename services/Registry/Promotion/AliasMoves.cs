using DmlPipeline.Contracts;
using DmlPipeline.Storage;

namespace DmlPipeline.Registry.Promotion;

/// <summary>Names that move from version to version.</summary>
public static class AliasNames
{
    /// <summary>The version that everybody uses. Only the gate, an approval or a rollback moves it.</summary>
    public const string Champion = "champion";

    /// <summary>A version that waits to become champion. The registry moves it.</summary>
    public const string Challenger = "challenger";

    /// <summary>A version that somebody runs beside the champion to watch it. People move it.</summary>
    public const string Shadow = "shadow";
}

/// <summary>Moves aliases, each with its line of history and its message, in the transaction of whoever decided.</summary>
internal static class AliasMoves
{
    public static Task<int?> PointsAt(this Transaction transaction, string model, string alias) =>
        transaction.QueryOne<int?>("select version from aliases where model = @model and alias = @alias", new { model, alias });

    public static async Task Move(this Transaction transaction, string model, string alias, int version, string action, string by, string reason)
    {
        var previous = await transaction.PointsAt(model, alias);
        await transaction.Execute(
            "insert into aliases (model, alias, version) values (@model, @alias, @version) on conflict (model, alias) do update set version = excluded.version",
            new { model, alias, version });
        await transaction.Note(model, alias, version, previous, promoted: true, action, by, reason);
        var run = await transaction.QueryOne<string>("select run_id from model_versions where model = @model and version = @version", new { model, version });
        await transaction.Publish(new ModelPromoted(model, version, alias, previous, run!, reason, action, by));
    }

    /// <summary>Takes an alias from a version; nothing happens when it points elsewhere.</summary>
    public static async Task Take(this Transaction transaction, string model, string alias, int version, string action, string by, string reason)
    {
        if (await transaction.Execute("delete from aliases where model = @model and alias = @alias and version = @version", new { model, alias, version }) == 0) return;
        await transaction.Note(model, alias, version, version, promoted: false, action, by, reason);
    }

    public static Task<int> Note(this Transaction transaction, string model, string alias, int version, int? previous, bool promoted, string action, string by, string reason) =>
        transaction.Execute(
            """
            insert into alias_history (model, alias, version, previous_version, promoted, reason, action, decided_by, decided_at)
            values (@model, @alias, @version, @previous, @promoted, @reason, @action, @by, @now)
            """,
            new { model, alias, version, previous, promoted, reason, action, by, now = Database.Now });
}
