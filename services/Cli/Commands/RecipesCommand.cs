using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.State;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Learning.Recipes;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml recipes [show NAME]</c>: the built-in training recipes.</summary>
internal static class RecipesCommand
{
    private static readonly Argument<string> Name = new("NAME") { Description = "A built-in recipe, or a file to check" };

    public static Command Create()
    {
        var show = new DocumentedCommand("show", "Print a recipe with everything that it decides; 'auto' is filled in from the dataset")
        {
            Examples = ["recipes show default", "recipes show my-recipe.yaml   # checks a file of yours"],
            Arguments = { Name },
        };
        show.SetAction(ShowOne);
        var list = new DocumentedCommand("recipes", "List the built-in training recipes, or show one")
        {
            Examples = ["recipes", "recipes show default > my-recipe.yaml"],
            Subcommands = { show },
        };
        list.SetAction(List);
        return list;
    }

    private static int List(ParseResult parse)
    {
        var screen = new Screen(parse);
        if (screen.IsJson)
        {
            screen.Json(new JsonArray([.. RecipeFile.BuiltInNames.Select(name => new JsonObject { ["recipe"] = name, ["settings"] = Canonical(RecipeFile.BuiltIn(name)) })]));
            return 0;
        }
        screen.Table(["recipe", "what it is"], RecipeFile.BuiltInNames.Select(name => (string[])[name, Purpose(name)]));
        screen.Line();
        screen.Line($"Print one with: {Hint.Command("recipes", "show", "NAME")}");
        return 0;
    }

    private static async Task<int> ShowOne(ParseResult parse, CancellationToken cancel)
    {
        var screen = new Screen(parse);
        var source = await RecipeSource.Read(parse.GetRequiredValue(Name), cancel);
        var recipe = source.Parse();
        if (screen.IsJson) screen.Json(Canonical(recipe));
        else screen.Line((source.IsBuiltIn ? RecipeFile.BuiltInText(source.Text) : source.Text).TrimEnd());
        return 0;
    }

    /// <summary>The comment at the head of the recipe's file.</summary>
    private static string Purpose(string name) =>
        string.Join(' ', RecipeFile.BuiltInText(name).Split('\n').TakeWhile(line => line.StartsWith('#')).Select(line => line.TrimStart('#', ' ')));

    private static JsonNode Canonical(TrainingRecipe recipe) => JsonNode.Parse(RecipeFile.ToCanonicalJson(recipe))!;
}
