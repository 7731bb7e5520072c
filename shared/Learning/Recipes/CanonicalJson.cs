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

    private static void WriteLoss(Utf8JsonWriter writer, LossSettings loss)
    {
        writer.WriteStartObject();
        foreach (var (key, value) in loss.Values.Append(KeyValuePair.Create("name", (object)loss.Name)).OrderBy(pair => pair.Key, StringComparer.Ordinal))
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
            case LossSettings loss: WriteLoss(writer, loss); break;
            default: WriteRecord(writer, value); break;
        }
    }
}
