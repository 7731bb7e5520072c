using DmlPipeline.Chaos;
using DmlPipeline.Tests.Services.Servers;

namespace DmlPipeline.Tests.Pipeline.Chaos;

/// <summary>infra/chaos in short: the long form takes more kills, and every fault there is.</summary>
public sealed class ChaosTests
{
    [Fact]
    public async Task Killed_cut_off_and_with_a_database_that_restarts_services_make_one_version_and_one_model_of_every_drop()
    {
        await Task.WhenAll(TestServer.RabbitMq, TestServer.Postgres, TestServer.S3);
        var output = new StringWriter();

        var right = await ChaosRun.Run(
            new ChaosOptions
            {
                Drops = 4, Kills = 10, Seed = 4, Only = ["kill", "broker-connections", "database-restart", "messages-copied"],
                Folder = Path.Combine(TestServer.Folder, "chaos"), RunningServers = TestServer.Folder,
            },
            output, default);

        right.ShouldBeTrue(output.ToString());
    }
}
