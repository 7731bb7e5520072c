using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace DmlPipeline.Tests.Services.Registry;

/// <summary>The interface over real HTTP.</summary>
public sealed class RegistryApiTests : IClassFixture<RegistryServer>
{
    private readonly RegistryServer server;

    public RegistryApiTests(RegistryServer server) => this.server = server;

    [Fact]
    public async Task Models_are_listed_with_their_latest_version_and_aliases()
    {
        var models = (await Get("/api/models")).AsArray();

        models.Select(model => ((string?)model!["model"], (int)model["versions"]!, (int)model["latest"]!)).ShouldBe([("birds", 3, 3), ("letters", 1, 1)]);
        ((int)models[0]!["aliases"]!["champion"]!).ShouldBe(2);
        models[1]!["aliases"]!.AsObject().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("3", 3)]
    [InlineData("v3", 3)]
    [InlineData("v1", 1)]
    [InlineData("latest", 3)]
    [InlineData("champion", 2)]
    public async Task A_version_is_found_by_number_alias_or_latest(string which, int version)
    {
        var found = await Get($"/api/models/birds/{which}");

        ((int)found["version"]!).ShouldBe(version);
        found["aliases"]!.AsArray().Select(alias => (string?)alias).ShouldBe(version == 2 ? ["champion"] : []);
        (await Get((string)found["download"]! + "/../model.json"))["version"]!.ToString().ShouldBe($"{version}");
    }

    [Theory]
    [InlineData("/api/models/birds", new[] { 3, 2, 1 })]
    [InlineData("/api/models/birds?limit=2", new[] { 3, 2 })]
    [InlineData("/api/models/birds?limit=2&offset=2", new[] { 1 })]
    [InlineData("/api/models/birds?limit=1&offset=1&best=map@r", new[] { 3 })]
    [InlineData("/api/models/birds?filter=map@r%3E%3D0.5", new[] { 3, 2 })]
    [InlineData("/api/models/birds?filter=map@r%3E%3D0.5,recall@1%3C0.75", new[] { 3 })]
    [InlineData("/api/models/birds?filter=map@r%3D0.3", new[] { 1 })]
    [InlineData("/api/models/birds?filter=map@r%3E0.9", new int[0])]
    [InlineData("/api/models/birds?filter=unknown%3E0", new int[0])]
    [InlineData("/api/models/birds?best=map@r", new[] { 2, 3, 1 })]
    [InlineData("/api/models/birds?best=MAP@R&filter=MAP@R%3C0.6", new[] { 3, 1 })]
    [InlineData("/api/models/birds?best=unknown", new[] { 3, 2, 1 })]
    [InlineData("/api/models/birds?best=map@r'%20desc;%20drop%20table%20runs--", new[] { 3, 2, 1 })]
    [InlineData("/api/versions?best=map@r", new[] { 1, 2, 3, 1 })]
    public async Task Versions_are_filtered_and_ordered(string request, int[] versions) =>
        (await Get(request)).AsArray().Select(version => (int)version!["version"]!).ShouldBe(versions);

    [Fact]
    public async Task History_tells_every_decision_with_its_reason()
    {
        var history = (await Get("/api/models/birds/history")).AsArray();

        history.Select(row => ((int)row!["version"]!, (bool)row["promoted"]!, (string?)row["reason"])).ShouldBe([(1, true, "first"), (2, true, "better"), (3, false, "worse")]);
        ((string?)history[0]!["decidedAt"]).ShouldBe("1970-01-01T00:00:01+00:00");
    }

    [Theory]
    [InlineData("/api/models/none", 404, "There is no model 'none'")]
    [InlineData("/api/models/none/history", 404, "There is no model 'none'")]
    [InlineData("/api/models/none/1", 404, "no version or alias '1' of a model 'none'")]
    [InlineData("/api/models/birds/4", 404, "no version or alias '4'")]
    [InlineData("/api/models/birds/9", 404, "no version or alias '9'")] // taken, but not registered
    [InlineData("/api/models/birds/-1", 404, "no version or alias '-1'")]
    [InlineData("/api/models/birds/vv1", 404, "no version or alias 'vv1'")]
    [InlineData("/api/models/birds/%201", 404, "no version or alias ' 1'")]
    [InlineData("/api/models/birds/99999999999999999999", 404, "no version or alias")]
    [InlineData("/api/models/birds/'%20or%201=1--", 404, "no version or alias")]
    [InlineData("/api/models/birds/none/model.safetensors", 404, "no version or alias 'none'")]
    [InlineData("/api/models/birds/1/checkpoint", 404, "model.safetensors, model.json and evaluation.json")]
    [InlineData("/api/models/birds/1/..%2Fv2%2Fmodel.json", 404, "model.safetensors, model.json and evaluation.json")]
    [InlineData("/api/models/birds?filter=map@r", 400, "is no condition on a metric")]
    [InlineData("/api/models/birds?filter=map@r%3Enan", 400, "is no condition on a metric")]
    [InlineData("/api/versions?filter=%27%3B", 400, "is no condition on a metric")]
    [InlineData("/api/models/birds?limit=0", 400, "limit is 1 to 1000")]
    [InlineData("/api/versions?limit=1001", 400, "limit is 1 to 1000")]
    [InlineData("/api/versions?offset=-1", 400, "offset 0 or more")]
    [InlineData("/api/models/birds/3/evaluation.json", 500, "models/birds/v3/evaluation.json is missing from the store")]
    public async Task A_bad_request_is_answered_with_its_problem(string request, int status, string detail)
    {
        using var response = await server.Client.GetAsync(new Uri(request, UriKind.Relative));

        ((int)response.StatusCode).ShouldBe(status);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        ((string?)JsonNode.Parse(await response.Content.ReadAsStringAsync())!["detail"]).ShouldNotBeNull().ShouldContain(detail);
    }

    [Fact]
    public async Task Weights_download_whole_and_in_ranges_that_are_refused_once_they_changed()
    {
        using var whole = await server.Client.GetAsync(new Uri("/api/models/birds/champion/model.safetensors", UriKind.Relative));
        (await whole.Content.ReadAsStringAsync()).ShouldBe("0123456789 of v2");
        whole.Content.Headers.ContentType!.MediaType.ShouldBe("application/octet-stream");
        whole.Content.Headers.ContentDisposition!.FileName.ShouldBe("birds-v2-model.safetensors");
        whole.Headers.AcceptRanges.ShouldBe(["bytes"]);

        using var rest = await Range(5, whole.Headers.ETag!);
        (rest.StatusCode, await rest.Content.ReadAsStringAsync()).ShouldBe((HttpStatusCode.PartialContent, "56789 of v2"));
        rest.Content.Headers.ContentRange!.ToString().ShouldBe("bytes 5-15/16");

        using var changed = await Range(5, new EntityTagHeaderValue("\"another\""));
        (changed.StatusCode, await changed.Content.ReadAsStringAsync()).ShouldBe((HttpStatusCode.OK, "0123456789 of v2"));

        using var beyond = await Range(500, whole.Headers.ETag!);
        beyond.StatusCode.ShouldBe(HttpStatusCode.RequestedRangeNotSatisfiable);
    }

    [Theory]
    [InlineData("/api/models/birds/1/../../../../../secret")]
    [InlineData("/api/models/birds/1/%2e%2e/%2e%2e/%2e%2e/%2e%2e/secret")]
    [InlineData("/api/models/birds/1/..%2f..%2f..%2f..%2fsecret")]
    [InlineData("/api/models/birds/1/%2e%2e%2f%2e%2e%2fsecret")]
    [InlineData("/api/models/birds/1/..\\..\\..\\secret")]
    [InlineData("/api/models/birds/1/..%5c..%5csecret")]
    [InlineData("/api/models/birds/1/%252e%252e%252fsecret")]
    [InlineData("/api/models/..%2f..%2f/1/model.json")]
    [InlineData("/api/models/%2e%2e/%2e%2e/secret")]
    [InlineData("/../../secret")]
    [InlineData("/api/models/birds/1/model.safetensors%00.txt")]
    [InlineData("/api/models/birds/1/%ff%fe")]
    public async Task Nothing_outside_the_registry_can_be_reached(string path)
    {
        // Written to the socket as it stands: an HTTP client would tidy the path up first.
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, server.Client.BaseAddress!.Port);
        await using var stream = socket.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        using var reader = new StreamReader(stream);
        var response = await reader.ReadToEndAsync();

        response.ShouldMatch("^HTTP/1.1 (400|404) ");
        response.ShouldNotContain("the secret");
        response.ShouldNotContain(server.Folder);
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    public async Task Nothing_can_be_changed(string method)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), "/api/models/birds/1");
        using var response = await server.Client.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
    }

    [Theory]
    [InlineData("POST", "/api/models/birds/3/approve")]
    [InlineData("POST", "/api/models/birds/3/reject")]
    [InlineData("POST", "/api/models/birds/3/checks/bias")]
    [InlineData("POST", "/api/models/birds/rollback")]
    [InlineData("PUT", "/api/models/birds/aliases/shadow")]
    [InlineData("POST", "/api/models/birds/aliases/shadow/remove")]
    [InlineData("GET", "/api/webhooks")]
    [InlineData("POST", "/api/webhooks")]
    [InlineData("POST", "/api/webhooks/deliveries/x/replay")]
    public async Task What_changes_something_needs_a_token(string method, string path)
    {
        foreach (var token in new[] { null, "Bearer wrong", $"Basic {RegistryServer.Token}", "Bearer ", $"Bearer {RegistryServer.Token}x" })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), path) { Content = method == "GET" ? null : new StringContent("""{"why":"x","url":"https://example.org","secret":"env:X"}""", Encoding.UTF8, "application/json") };
            if (token is not null) request.Headers.TryAddWithoutValidation("Authorization", token);
            using var response = await server.Client.SendAsync(request);
            response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized, token);
        }
    }

    [Fact]
    public async Task An_alias_is_moved_by_the_owner_of_a_token_and_history_says_so()
    {
        await Change(HttpMethod.Put, "/api/models/letters/aliases/shadow", """{"version":"1","why":"watched"}""");
        await Change(HttpMethod.Post, "/api/models/letters/aliases/shadow/remove", """{"why":"long enough"}""");

        (await Get("/api/models/letters/history")).AsArray()
            .Select(line => ((string?)line!["alias"], (string?)line["action"], (string?)line["decidedBy"], (string?)line["reason"]))
            .ShouldBe([("shadow", "moved", "ann", "watched"), ("shadow", "removed", "ann", "long enough")]);

        async Task Change(HttpMethod method, string path, string body)
        {
            using var request = new HttpRequestMessage(method, path)
            {
                Content = new StringContent(body, Encoding.UTF8, "application/json"), Headers = { Authorization = new AuthenticationHeaderValue("Bearer", RegistryServer.Token) },
            };
            using var response = await server.Client.SendAsync(request);
            response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task What_the_gate_decided_and_what_is_wrong_can_be_asked_for()
    {
        (await Get("/api/models/birds/2/gate"))["decisions"]!.AsArray().ShouldBeEmpty();
        (await Get("/api/troubles")).AsArray().ShouldBeEmpty();
    }

    [Fact]
    public async Task The_length_of_a_download_can_be_asked_for_without_it()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, "/api/models/birds/1/model.safetensors");
        using var response = await server.Client.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentLength.ShouldBe("0123456789 of v1".Length);
        (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    private async Task<JsonNode> Get(string request)
    {
        using var response = await server.Client.GetAsync(new Uri(request, UriKind.Relative));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
    }

    private Task<HttpResponseMessage> Range(int from, EntityTagHeaderValue etag)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, "/api/models/birds/champion/model.safetensors");
        request.Headers.Range = new RangeHeaderValue(from, null);
        request.Headers.IfRange = new RangeConditionHeaderValue(etag);
        return server.Client.SendAsync(request);
    }
}
