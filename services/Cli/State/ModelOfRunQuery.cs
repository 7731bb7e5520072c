using DmlPipeline.Storage;
using DmlPipeline.Storage.State;

namespace DmlPipeline.Cli.State;

internal static class ModelOfRunQuery
{
    /// <summary>The version that a run became, or null.</summary>
    public static async Task<ModelVersionRow?> ModelOfRun(this Database database, string runId, CancellationToken cancel)
    {
        var row = await database.QueryOne<(string Model, int Version)?>("select model, version from model_versions where run_id = @runId and state = 'ready'", new { runId }, cancel);
        return row is null ? null : await database.ModelVersion(row.Value.Model, $"{row.Value.Version}", cancel);
    }
}
