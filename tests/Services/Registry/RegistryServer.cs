using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using DmlPipeline.Contracts;
using DmlPipeline.Registry;
using DmlPipeline.Registry.Promotion;
using DmlPipeline.Registry.Webhooks;
using DmlPipeline.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace DmlPipeline.Tests.Services.Registry;

/// <summary>A registry that answers, of three versions of "birds" (the second is the champion) and one of "letters".</summary>
public sealed class RegistryServer : IAsyncLifetime
{
    private readonly TemporaryFolder folder = new();
    private Database database = null!;
    private WebApplication app = null!;

    public HttpClient Client { get; private set; } = null!;

    public string Folder => folder.Path;

    public const string Token = "0123456789abcdef";

    public async Task InitializeAsync()
    {
        database = await folder.OpenDatabase();
        var store = folder.OpenStore();
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "secret"), "the secret");
        await store.Put("secret", new MemoryStream("the secret"u8.ToArray()), default);
        await Fill(store);

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddSingleton(database);
        builder.Services.AddSingleton<IArtifactStore>(store).AddSingleton<PromotionDesk>().AddSingleton<WebhookBook>();
        await File.WriteAllTextAsync(Path.Combine(folder.Path, "tokens"), $"ann {Token}\n");
        builder.Services.Configure<RegistryOptions>(options => options.TokenFile = Path.Combine(folder.Path, "tokens"));
        app = builder.Build();
        app.MapRegistry();
        await app.StartAsync();
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
    }

    public async Task DisposeAsync()
    {
        Client.Dispose();
        await app.DisposeAsync();
        database.Dispose();
        folder.Dispose();
    }

    private Task Fill(FolderStore store) => database.Write(async transaction =>
    {
        foreach (var (model, version, score, recall) in new[] { ("birds", 1, 0.3, 0.6), ("birds", 2, 0.7, 0.8), ("birds", 3, 0.5, 0.7), ("letters", 1, 0.9, 0.95) })
        {
            var json = new JsonObject { ["model"] = model, ["version"] = version, ["metrics"] = new JsonObject { ["map@r"] = score } }.ToJsonString(ContractJson.Indented);
            await Version(transaction, model, version, "ready", json);
            foreach (var (name, value) in new[] { ("map@r", score), ("recall@1", recall) })
                await transaction.Execute("insert into model_metrics values (@model, @version, @name, @value)", new { model, version, name, value });
            await store.Put($"models/{model}/v{version}/model.safetensors", new MemoryStream(Encoding.UTF8.GetBytes($"0123456789 of v{version}")), default);
            await store.Put($"models/{model}/v{version}/model.json", new MemoryStream(Encoding.UTF8.GetBytes(json)), default);
        }
        await Version(transaction, "birds", 9, "pending", json: null);
        await transaction.Execute("insert into aliases (model, alias, version) values ('birds', 'champion', 2)");
        foreach (var (version, promoted, reason) in new[] { (1, true, "first"), (2, true, "better"), (3, false, "worse") })
            await transaction.Execute(
                "insert into alias_history (model, alias, version, promoted, reason, decided_at) values ('birds', 'champion', @version, @promoted, @reason, 1000)",
                new { version, promoted, reason });
    }, default);

    private static Task Version(Transaction transaction, string model, int version, string state, string? json) => transaction.Execute(
        "insert into model_versions values (@model, @version, @run, @state, @model, 1, @json, 0)",
        new { model, version, run = $"{model}-{version}", state, json });
}
