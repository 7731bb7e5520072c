using System.Text.Json;
using System.Text.Json.Serialization;

namespace DmlPipeline.Contracts;

/// <summary>The one JSON form of everything that the pipeline stores or sends: camelCase, nulls left out.</summary>
public static class ContractJson
{
    public static readonly JsonSerializerOptions Compact = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    public static readonly JsonSerializerOptions Indented = new(Compact) { WriteIndented = true };
}
