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

    public static Option<bool> Wait(string description) => new("--wait") { Description = description };
}
