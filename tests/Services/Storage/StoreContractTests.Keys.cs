namespace DmlPipeline.Tests.Services.Storage;

/// <summary>Which names objects may have, and in which order they are listed.</summary>
public abstract partial class StoreContractTests
{
    [Theory]
    [InlineData("")]
    [InlineData("/etc/passwd")]
    [InlineData("../outside")]
    [InlineData("a/../../outside")]
    [InlineData("a/..")]
    [InlineData("./a")]
    [InlineData("a/./b")]
    [InlineData("a//b")]
    [InlineData("a/")]
    [InlineData("a\0b")]
    [InlineData("a/.partial-0")]
    [InlineData(".partial-a/b")]
    public async Task What_is_no_key_is_refused_everywhere(string key)
    {
        await Should.ThrowAsync<ArgumentException>(async () => await Store.Put(key, Content("x"), default));
        await Should.ThrowAsync<ArgumentException>(async () => await Store.PutIfAbsent(key, Content("x"), default));
        await Should.ThrowAsync<ArgumentException>(async () => await Store.OpenRead(key, default));
        await Should.ThrowAsync<ArgumentException>(async () => await Store.Find(key, default));
        await Should.ThrowAsync<ArgumentException>(async () => await Store.LocalFile(key, default));
        await Should.ThrowAsync<ArgumentException>(async () => await Store.Delete(key, default));

        (await Keys("")).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("inbox/birds/kea (1)/été & 'ō' #1%2f+~.jpg")]
    [InlineData("inbox/birds/..hidden")]
    [InlineData("inbox/birds/.hidden")]
    [InlineData("inbox/birds/back\\slash")]
    [InlineData("inbox/birds/line\nbreak")]
    [InlineData("inbox/birds/\u0001control\r")]
    [InlineData("inbox/鳥/キーア.png")]
    [InlineData("*?")]
    public async Task Odd_names_are_good_keys(string key)
    {
        await Put(key, "x");

        (await Keys("")).ShouldBe([key]);
        (await Text(key)).ShouldBe("x");
        (await File.ReadAllTextAsync(await Store.LocalFile(key, default))).ShouldBe("x");
        (await Store.PutIfAbsent(key, Content("y"), default)).ShouldBeNull();
        await Store.Delete(key, default);
        (await Keys("")).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_listing_is_in_ordinal_order_and_filtered_by_prefix()
    {
        foreach (var key in new[] { "b/1", "a/2", "a-b", "a/1/x", "B", "a/10", "ab/1" }) await Put(key, key);

        (await Keys("")).ShouldBe(["B", "a-b", "a/1/x", "a/10", "a/2", "ab/1", "b/1"]);
        (await Keys("a/")).ShouldBe(["a/1/x", "a/10", "a/2"]);
        (await Keys("a")).ShouldBe(["a-b", "a/1/x", "a/10", "a/2", "ab/1"]);
        (await Keys("a/1")).ShouldBe(["a/1/x", "a/10"]);
        (await Keys("none/")).ShouldBeEmpty();
    }
}
