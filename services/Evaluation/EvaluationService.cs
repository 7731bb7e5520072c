using System.Text.Json;
using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace DmlPipeline.Evaluation;

/// <summary>What evaluation adds to a process.</summary>
public static class EvaluationService
{
    public static void AddConsumers(IBusRegistrationConfigurator bus) => bus.AddConsumer<EvaluateModelConsumer>();

    public static IServiceCollection AddEvaluation(this IServiceCollection services)
    {
        services.AddHostedService<EvaluationWorker>();
        return services.AddReconciliation("trained runs without an evaluation", OweEvaluations);
    }

    private static async Task<int> OweEvaluations(Transaction transaction, long before)
    {
        var owed = (await transaction.Query<RunRow>(
            """
            select * from runs r where state = 'trained' and finished_at < @before
            and not exists (select 1 from jobs j where j.kind = @Kind and j.subject = r.id and j.state <> 'done')
            """,
            new { before, EvaluationWorker.Kind })).ToList();
        foreach (var run in owed)
        {
            // A run that was sent back to be judged again has a job that is done; without this the message would find it and stop.
            await transaction.Requeue(EvaluationWorker.Kind, run.Id);
            await transaction.Publish(JsonSerializer.Deserialize<ModelTrained>(run.TrainedJson!, ContractJson.Compact)!);
        }
        return owed.Count;
    }
}
