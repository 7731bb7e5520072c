using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using DmlPipeline.Contracts;

namespace DmlPipeline.Tests.Services.Contracts;

/// <summary>The JSON of a contract is a promise to messages under way and objects in the store: it may only gain optional members.</summary>
public class SampleTests
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Contracts", "Samples");

    public static TheoryData<string> Names => [.. SampleValues.All.Keys];

    [Fact]
    public void Every_contract_has_a_sample()
    {
        var records = typeof(TrainModel).Assembly.GetTypes()
            .Where(type => type.Namespace == typeof(TrainModel).Namespace && type.IsSealed && type.GetMethod("<Clone>$") is not null);

        records.Select(type => type.Name).Except(SampleValues.All.Keys).ShouldBeEmpty("add a value of it to SampleValues and a file to Samples");
        Directory.GetFiles(Folder).Select(Path.GetFileNameWithoutExtension).ShouldBe(SampleValues.All.Keys, ignoreOrder: true);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_contract_is_written_as_its_sample(string name) =>
        JsonSerializer.Serialize(SampleValues.All[name], ContractJson.Compact).ShouldBe(Sample(name));

    [Theory]
    [MemberData(nameof(Names))]
    public void A_sample_reads_back_as_it_was_written(string name) =>
        JsonSerializer.Serialize(Read(name, Sample(name)), ContractJson.Compact).ShouldBe(Sample(name));

    [Theory]
    [MemberData(nameof(Names))]
    public void Members_of_a_newer_version_are_ignored(string name)
    {
        var json = JsonNode.Parse(Sample(name))!;
        AddUnknownMembers(json);

        JsonSerializer.Serialize(Read(name, json.ToJsonString()), ContractJson.Compact).ShouldBe(Sample(name));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Json_without_the_optional_members_still_reads(string name)
    {
        var nullability = new NullabilityInfoContext();
        var optional = TypeOf(name).GetProperties()
            .Where(property => property.CanWrite && nullability.Create(property).ReadState == NullabilityState.Nullable).ToList();
        var json = (JsonObject)JsonNode.Parse(Sample(name))!;
        foreach (var property in optional) json.Remove(JsonNamingPolicy.CamelCase.ConvertName(property.Name)).ShouldBeTrue($"the sample shows no {property.Name}");

        var read = Read(name, json.ToJsonString());

        foreach (var property in optional) property.GetValue(read).ShouldBeNull();
        JsonSerializer.Serialize(read, ContractJson.Compact).ShouldBe(json.ToJsonString(ContractJson.Compact));
    }

    [Fact]
    public void A_number_that_is_none_is_refused_rather_than_sent()
    {
        var evaluated = new ModelRegistered("birds", 1, "run", new Dictionary<string, double>(StringComparer.Ordinal) { ["recall@1"] = double.NaN });

        Should.Throw<ArgumentException>(() => JsonSerializer.Serialize(evaluated, ContractJson.Compact));
    }

    private static string Sample(string name) => File.ReadAllText(Path.Combine(Folder, $"{name}.json")).TrimEnd();

    private static Type TypeOf(string name) => SampleValues.All[name].GetType();

    private static object Read(string name, string json) => JsonSerializer.Deserialize(json, TypeOf(name), ContractJson.Compact)!;

    private static void AddUnknownMembers(JsonNode node)
    {
        if (node is JsonArray array)
            foreach (var item in array) AddUnknownMembers(item!);
        if (node is not JsonObject json) return;
        foreach (var (name, value) in json.ToList())
            if (name != "metrics" && value is not null) AddUnknownMembers(value);
        json["addedByANewerVersion"] = new JsonObject { ["x"] = 1 };
    }
}
