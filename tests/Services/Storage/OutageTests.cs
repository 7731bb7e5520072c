using System.Net.Sockets;
using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;
using Npgsql;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class OutageTests
{
    [Fact]
    public async Task A_database_that_does_not_answer_is_away()
    {
        await using var connection = new NpgsqlConnection("Host=127.0.0.1;Port=1;Username=dml");

        var error = await Should.ThrowAsync<NpgsqlException>(connection.OpenAsync());

        Outage.IsMeantBy(error).ShouldBeTrue();
        Outage.IsMeantBy(new InvalidOperationException("The run could not be stored.", error)).ShouldBeTrue();
    }

    [Theory]
    [InlineData("57P01", true)]
    [InlineData("57P02", true)]
    [InlineData("57P03", true)]
    [InlineData("53300", true)]
    [InlineData("40001", false)]
    [InlineData("57014", false)]
    [InlineData("28P01", true)]
    [InlineData("23505", false)]
    public void A_database_that_shuts_down_or_lets_nobody_in_is_away_and_one_that_refuses_a_statement_is_not(string state, bool away) =>
        Outage.IsMeantBy(new PostgresException("no", "FATAL", "FATAL", state)).ShouldBe(away);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_store_says_so_itself(bool away) => Outage.IsMeantBy(new AggregateException(new StoreException(null, "no") { IsOutage = away })).ShouldBe(away);

    [Fact]
    public void Other_errors_are_the_works_own() => Outage.IsMeantBy(new SocketException((int)SocketError.ConnectionRefused)).ShouldBeFalse();
}
