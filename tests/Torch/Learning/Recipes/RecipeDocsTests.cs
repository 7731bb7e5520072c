using System.Reflection;
using System.Text.Json;
using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Tests.Torch.Learning.Recipes;

public sealed class RecipeDocsTests
{
    [Fact]
    public void The_readme_explains_every_setting()
    {
        var text = File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Learning", "Recipes", "README.md"));

        foreach (var key in Keys(typeof(TrainingRecipe), ""))
            text.ShouldContain($"`{key}`", customMessage: $"shared/Learning/Recipes/README.md does not mention {key}");
    }

    private static IEnumerable<string> Keys(Type record, string prefix) =>
        record.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.SetMethod is not null).SelectMany(property =>
        {
            var key = prefix + JsonNamingPolicy.SnakeCaseLower.ConvertName(property.Name);
            var type = property.PropertyType;
            var nested = type.IsClass && type != typeof(string) && !type.IsArray;
            return nested ? Keys(type, key + ".") : [key];
        });
}
