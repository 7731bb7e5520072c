using System.Text;
using System.Text.Json;

namespace DmlPipeline.Learning.Training;

/// <summary>metrics.jsonl: one line of JSON per epoch.</summary>
internal sealed class EpochLog
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web);
    private readonly string path;

    /// <summary>Starts the file with the epochs that a resumed run already has, so that none is missing or there twice.</summary>
    public EpochLog(string folder, IEnumerable<EpochResult> history)
    {
        path = Path.Combine(folder, "metrics.jsonl");
        File.WriteAllText(path, string.Concat(history.Select(Line)), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
    }

    public void Add(EpochResult epoch) => File.AppendAllText(path, Line(epoch));

    private static string Line(EpochResult epoch) => JsonSerializer.Serialize(epoch, Json) + "\n";
}
