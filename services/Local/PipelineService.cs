using DmlPipeline.Evaluation;
using DmlPipeline.Ingestion;
using DmlPipeline.Registry;
using DmlPipeline.Scheduling;
using DmlPipeline.Storage;
using DmlPipeline.Training;
using MassTransit;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace DmlPipeline.Local;

/// <summary>One service of the pipeline, as processes are put together from them.</summary>
/// <param name="Name">What it is called on the command line.</param>
/// <param name="Does">In a few words.</param>
/// <param name="AddConsumers">Puts its consumers on the bus.</param>
/// <param name="AddServices">Adds its workers and options.</param>
/// <param name="MapRoutes">Adds its HTTP interface.</param>
public sealed record PipelineService(
    string Name, string Does, Action<IBusRegistrationConfigurator> AddConsumers, Action<IServiceCollection, Database> AddServices, Action<IEndpointRouteBuilder> MapRoutes)
{
    public static readonly PipelineService Ingestion =
        new("ingestion", "inbox to dataset versions", IngestionService.AddConsumers, (services, _) => services.AddIngestion(), _ => { });

    public static readonly PipelineService Training =
        new("training", "dataset versions to models; any number of these", TrainingService.AddConsumers, (services, _) => services.AddTraining(), _ => { });

    public static readonly PipelineService Evaluation =
        new("evaluation", "judges models; any number of these", EvaluationService.AddConsumers, (services, _) => services.AddEvaluation(), _ => { });

    public static readonly PipelineService Registry =
        new("registry", "registers and promotes; the registry over HTTP", RegistryService.AddConsumers, (services, _) => services.AddRegistry(), routes => routes.MapRegistry());

    public static readonly PipelineService Scheduling =
        new("scheduling", "asks at set times whether to train; any number of these", _ => { }, (services, database) => services.AddScheduling(database), _ => { });

    /// <summary>What makes a model of a drop.</summary>
    public static readonly IReadOnlyList<PipelineService> Core = [Ingestion, Training, Evaluation, Registry];

    public static readonly IReadOnlyList<PipelineService> All = [.. Core, Scheduling];
}
