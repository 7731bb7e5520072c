using System.CommandLine;
using DmlPipeline.Cli.Commands;
using DmlPipeline.Cli.Serve;
using DmlPipeline.Cli.State;
using DmlPipeline.Hosting;
using DmlPipeline.Local;
using DmlPipeline.Storage;

namespace DmlPipeline.Cli.Schedules;

/// <summary>The database that schedules are kept in: a home's own, or that of a pipeline of many processes.</summary>
internal static class ScheduleDatabase
{
    public static IEnumerable<Option> Flags => SettingSources.FlagsOf([Settings.Database, Settings.DatabaseUser, Settings.DatabasePassword]);

    /// <param name="parse">The command line.</param>
    /// <param name="mayCreate">A home that does not exist yet is made.</param>
    /// <param name="run">What is done.</param>
    /// <param name="cancel">Ends it.</param>
    public static async Task<int> Use(ParseResult parse, bool mayCreate, Func<Database, Task<int>> run, CancellationToken cancel)
    {
        try
        {
            var sources = new SettingSources(parse, Environment.GetEnvironmentVariable);
            var path = parse.GetValue(SharedOptions.Home)!;
            var home = new PipelineHome(path);
            var location = sources[Settings.Database];
            if (location is null && !home.Exists && !mayCreate) throw OpenedHome.None(path);
            using var database = await Database.Open(location ?? home.DatabaseFile, sources[Settings.DatabaseUser], sources[Settings.DatabasePassword], cancel);
            return await run(database);
        }
        catch (DatabaseException e)
        {
            throw new CliException(ServeCommand.Explain(new SettingException(e.Setting, e.Message, e)));
        }
        catch (SettingException e)
        {
            throw new CliException(ServeCommand.Explain(e));
        }
    }
}
