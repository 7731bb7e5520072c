using DmlPipeline.Learning.Recipes;
using DmlPipeline.Storage;

namespace DmlPipeline.Training;

/// <summary>Whether a training begins with the champion's weights.</summary>
internal static class WarmStart
{
    /// <returns>The recipe to train with, and in words what it begins with where that is worth saying.</returns>
    public static async Task<(TrainingRecipe Recipe, string? How)> Choose(Transaction transaction, string dataset, PolicySettings rules, TrainingRecipe recipe)
    {
        if (rules.Start == PolicySettings.Scratch || recipe.WarmStart is not null || recipe.Pretrained is not null) return (recipe, null);
        var champion = await transaction.QueryOne<(int Version, int TrainedOn, string Recipe)?>(
            """
            select v.version, v.dataset_version, r.recipe_json from aliases a join model_versions v on v.model = a.model and v.version = a.version join runs r on r.id = v.run_id
            where a.model = @dataset and a.alias = 'champion'
            """, new { dataset });
        if (champion is not { } found) return (recipe, "from scratch, as there is no champion to start from");
        var before = RecipeFile.Parse(found.Recipe, $"the recipe of {dataset} v{found.Version}");
        if (!SameNetwork(before, recipe)) return (recipe, $"from scratch, as champion v{found.Version} is another network");
        var start = new WarmStartSettings
        {
            Weights = $"artifact:models/{dataset}/v{found.Version}/model.safetensors", TrainedOn = found.TrainedOn, Replay = rules.Replay,
            AlsoFromScratch = rules.Start == PolicySettings.Both ? true : null,
        };
        return (recipe with { WarmStart = start }, start.AlsoFromScratch == true ? $"from champion v{found.Version} and from scratch, the better one stays" : $"from champion v{found.Version}");
    }

    private static bool SameNetwork(TrainingRecipe a, TrainingRecipe b) =>
        // Without a head of their own, losses may differ in what they put after the backbone.
        (a.Head is not null || a.Loss.Name == b.Loss.Name) && a.Backbone == b.Backbone && a.Pooling == b.Pooling && a.Head == b.Head && a.EmbeddingSize == b.EmbeddingSize
        && a.Image.Size == b.Image.Size && a.Image.Channels == b.Image.Channels && a.Image.Invert == b.Image.Invert && a.Image.Stem == b.Image.Stem && a.Image.Normalisation == b.Image.Normalisation;
}
