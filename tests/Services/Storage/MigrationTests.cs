using DmlPipeline.Storage;

namespace DmlPipeline.Tests.Services.Storage;

public sealed class MigrationTests
{
    [Fact]
    public void Every_migration_is_there_for_both_engines()
    {
        var scripts = typeof(Database).Assembly.GetManifestResourceNames().Where(name => name.EndsWith(".sql", StringComparison.Ordinal)).ToList();

        Of("sqlite").ShouldNotBeEmpty();
        Of("postgres").ShouldBe(Of("sqlite"));

        IEnumerable<string> Of(string engine) =>
            scripts.Where(name => name.EndsWith($".{engine}.sql", StringComparison.Ordinal)).Select(name => name[..^$".{engine}.sql".Length]).Order(StringComparer.Ordinal);
    }
}
