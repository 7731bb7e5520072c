using DmlPipeline.Storage;
using DmlPipeline.Storage.S3;

namespace DmlPipeline.Tests.Services.Storage;

public class S3StoreTests : StoreContractTests
{
    private readonly TemporaryFolder folder = new();
    private S3Store store = null!;

    protected override int LargeObject => 11_000_000; // two parts and a bit

    public override Task DisposeAsync()
    {
        store.Dispose();
        folder.Dispose();
        return Task.CompletedTask;
    }

    protected override async Task<IArtifactStore> OpenEmptyStore() => store = await Open(await S3Samples.NewBucket(folder));

    private protected virtual Task<S3Store> Open(S3Settings settings) => S3Store.Open(settings, createBucket: true, default);
}

/// <summary>Against servers that ignore conditions without a word: the same promises, kept by claims.</summary>
public sealed class S3StoreWithoutConditionsTests : S3StoreTests
{
    private protected override Task<S3Store> Open(S3Settings settings) =>
        S3Store.Open(settings, createBucket: true, connection => S3Conditions.Known(connection, ofPuts: false, ofUploads: false), default);
}
