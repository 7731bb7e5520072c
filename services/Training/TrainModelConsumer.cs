using DmlPipeline.Contracts;
using DmlPipeline.Hosting;
using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage;
using DmlPipeline.Storage.State;
using MassTransit;
using Microsoft.Extensions.Options;

namespace DmlPipeline.Training;

/// <summary>TrainModel in; a run and its job, once per run id. Training itself is the worker's: it outlasts any message.</summary>
public sealed class TrainModelConsumer(Database database, IOptions<TrainingOptions> options) : IConsumer<TrainModel>
{
    public Task Consume(ConsumeContext<TrainModel> context) => database.Once(context, this, async (transaction, message) =>
    {
        var (train, recipe) = await Settle(transaction, message);
        await transaction.AddRun(train, RecipeFile.Hash(recipe), recipe.Needs);
        await transaction.EnqueueTraining(train.RunId);
    });

    /// <summary>Who asks without knowing recipes, such as a schedule, leaves the choice to the dataset and to this process's options.</summary>
    private async Task<(TrainModel Train, TrainingRecipe Recipe)> Settle(Transaction transaction, TrainModel asked)
    {
        try
        {
            if (asked.Recipe.StartsWith('{')) return (asked, RecipeChoice.Checked(RecipeFile.Parse(asked.Recipe, $"the recipe of run {asked.RunId}")));
            var manifest = (await transaction.QueryOne<DatasetVersionRow>(
                "select * from dataset_versions where dataset = @Dataset and version = @DatasetVersion", new { asked.Dataset, asked.DatasetVersion }))?.Manifest
                ?? throw new PermanentException($"There is no dataset {asked.Dataset} v{asked.DatasetVersion}.");
            var settings = options.Value;
            var text = asked.Recipe.Length > 0 ? asked.Recipe : manifest.Recipe ?? settings.Recipe;
            var recipe = RecipeChoice.Resolve(text, manifest, settings.Budget, settings.Seed, settings.Threads);
            return (asked with { Recipe = RecipeFile.ToCanonicalJson(recipe) }, recipe);
        }
        catch (RecipeException e)
        {
            // The same recipe would be as wrong the next time.
            throw new PermanentException($"Run {asked.RunId} cannot begin: {e.Message}", e);
        }
    }
}
