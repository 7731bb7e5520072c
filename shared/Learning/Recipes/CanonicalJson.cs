using System.Text;
using System.Text.Json;

namespace DmlPipeline.Learning.Recipes;

/// <summary>Records as JSON with sorted snake_case keys, no spaces and no nulls, so that equal records give equal bytes.</summary>
internal static class CanonicalJson
{
    public static string Write(object record)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream)) WriteRecord(writer, record);
        return Encoding.UTF8.GetString(stream.ToArray());
    }

    private static void WriteRecord(Utf8JsonWriter writer, object record)
    {
        writer.WriteStartObject();
        foreach (var property in RecipeKeys.Of(record.GetType()).OrderBy(RecipeKeys.Name, StringComparer.Ordinal))
        {
            if (property.GetValue(record) is not { } value) continue;
            writer.WritePropertyName(RecipeKeys.Name(property));
            WriteValue(writer, value);
        }
        writer.WriteEndObject();
    }

    private static void WriteNamed(Utf8JsonWriter writer, NamedSettings named)
    {
        writer.WriteStartObject();
        foreach (var (key, value) in named.Values.Append(KeyValuePair.Create("name", (object)named.Name)).OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            writer.WritePropertyName(key);
            WriteValue(writer, value);
        }
        writer.WriteEndObject();
    }

    private static void WriteValue(Utf8JsonWriter writer, object value)
    {
        switch (value)
        {
            case bool flag: writer.WriteBooleanValue(flag); break;
            case int whole: writer.WriteNumberValue(whole); break;
            case long large: writer.WriteNumberValue(large); break;
            case double number: writer.WriteNumberValue(number); break;
            case string text: writer.WriteStringValue(text); break;
            case TimeSpan time: writer.WriteStringValue(Duration.ToText(time)); break;
            case Enum name: writer.WriteStringValue(RecipeKeys.Name(name)); break;
            case double[] numbers:
                writer.WriteStartArray();
                foreach (var number in numbers) writer.WriteNumberValue(number);
                writer.WriteEndArray();
                break;
            case NamedSettings named: WriteNamed(writer, named); break;
            case NamedSettings[] list:
                writer.WriteStartArray();
                foreach (var named in list) WriteNamed(writer, named);
                writer.WriteEndArray();
                break;
            default: WriteRecord(writer, value); break;
        }
    }
}
