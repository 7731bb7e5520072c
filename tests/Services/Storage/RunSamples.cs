using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Storage;

internal static class RunSamples
{
    public static Task Insert(Transaction transaction, string id, string state, string dataset = "birds", int datasetVersion = 1) =>
        transaction.Execute(
            """
            insert into runs (id, dataset, dataset_version, recipe_json, recipe_hash, requested_by, reason, state, created_at)
            values (@id, @dataset, @datasetVersion, '{}', '', 'test', '', @state, 0)
            """,
            new { id, state, dataset, datasetVersion });
}
