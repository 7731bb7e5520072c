namespace DmlPipeline.Tests.Services;

/// <summary>Waits for what happens on other threads. The limit only ends a test that has failed already.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    public static async Task Holds(Func<Task<bool>> condition, string what)
    {
        var end = DateTime.UtcNow + Limit;
        while (!await condition())
        {
            if (DateTime.UtcNow > end) throw new TimeoutException($"This never happened: {what}.");
            await Task.Delay(10);
        }
    }

    public static Task Holds(Func<bool> condition, string what) => Holds(() => Task.FromResult(condition()), what);
}
