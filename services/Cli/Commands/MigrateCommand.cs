using System.CommandLine;
using System.Text.Json.Nodes;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.Terminal;
using DmlPipeline.Local;
using DmlPipeline.Storage;

namespace DmlPipeline.Cli.Commands;

/// <summary><c>dml migrate</c>: the tables of a database, made by their owner before services that may only use them start.</summary>
internal static class MigrateCommand
{
    public static Command Create()
    {
        var command = new DocumentedCommand("migrate", "Make the tables of a database, or bring them up to date")
        {
            Details =
                """
                Every service does so at its start, if its user may. Where each service has a user of its own, the tables belong to another:
                run this as their owner before the services of a new version start. What is up to date is left alone.
                """,
            Examples = ["migrate --database postgres://db.example.org/dml --database-user dml_owner --database-password-file secret"],
        };
        foreach (var flag in SettingSources.FlagsOf([Settings.Database, Settings.DatabaseUser, Settings.DatabasePassword])) command.Options.Add(flag);
        command.SetAction(Run);
        return command;
    }

    private static async Task<int> Run(ParseResult parse, CancellationToken cancel)
    {
        var sources = new SettingSources(parse, Environment.GetEnvironmentVariable);
        var location = sources[Settings.Database] ?? new PipelineHome(parse.GetValue(SharedOptions.Home)!).DatabaseFile;
        using var database = await Database.Open(location, sources[Settings.DatabaseUser], sources[Settings.DatabasePassword], cancel);
        var screen = new Screen(parse);
        if (screen.IsJson) screen.Json(new JsonObject { ["database"] = location, ["upToDate"] = true });
        else screen.Line($"The tables in {location} are up to date.");
        return 0;
    }
}
