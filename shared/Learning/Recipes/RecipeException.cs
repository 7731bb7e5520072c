namespace DmlPipeline.Learning.Recipes;

/// <summary>A recipe that cannot be used, with everything that is wrong with it: one sentence per mistake.</summary>
public sealed class RecipeException(IReadOnlyList<string> errors) : Exception(string.Join('\n', errors))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}
