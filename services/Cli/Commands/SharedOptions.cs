using System.CommandLine;

namespace DmlPipeline.Cli.Commands;

/// <summary>Options that every command has.</summary>
internal static class SharedOptions
{
    public const string DefaultHome = "./.dml";

    public static readonly Option<string> Home = new("--home")
    {
        Description = "Folder that holds everything of one pipeline: images, models, state",
        HelpName = "FOLDER",
        DefaultValueFactory = _ => DefaultHome,
        Recursive = true,
    };

    public static readonly Option<bool> Json = new("--json")
    {
        Description = "One JSON document on stdout and nothing else; progress and errors go to stderr",
        Recursive = true,
    };

    public static readonly Option<bool> Verbose = new("--verbose")
    {
        Description = "On an error, show where it happened",
        Recursive = true,
    };

    /// <summary>How many of something are wanted: one or more.</summary>
    public static Option<int> Number(string name, string description, int usual)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => usual };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && int.TryParse(token.Value, out var number) && number < 1) result.AddError($"{name} {number} is none: give 1 or more.");
        });
        return option;
    }

    public static Option<bool> Wait(string description) => new("--wait") { Description = description };
}
