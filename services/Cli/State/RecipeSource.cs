using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Cli.State;

/// <summary>A recipe as a person names it: a built-in name, or a file.</summary>
/// <param name="Text">The name, or the file's text.</param>
/// <param name="IsBuiltIn">Whether it is a name.</param>
/// <param name="Origin">What messages call it.</param>
internal sealed record RecipeSource(string Text, bool IsBuiltIn, string Origin)
{
    public static async Task<RecipeSource> Read(string nameOrFile, CancellationToken cancel)
    {
        if (RecipeFile.BuiltInNames.Contains(nameOrFile, StringComparer.Ordinal)) return new RecipeSource(nameOrFile, IsBuiltIn: true, nameOrFile);
        if (File.Exists(nameOrFile)) return new RecipeSource(await File.ReadAllTextAsync(nameOrFile, cancel), IsBuiltIn: false, nameOrFile);
        throw new CliException($"There is no recipe and no file '{nameOrFile}'. Recipes: {string.Join(", ", RecipeFile.BuiltInNames)}.");
    }

    /// <exception cref="RecipeException">The recipe is wrong; every mistake is listed.</exception>
    public TrainingRecipe Parse() => IsBuiltIn ? RecipeFile.BuiltIn(Text) : RecipeFile.Parse(Text, Origin);
}
