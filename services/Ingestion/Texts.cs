namespace DmlPipeline.Ingestion;

/// <summary>Numbers for texts that many rows share, such as names of classes; each text is in memory once.</summary>
internal sealed class Texts
{
    private readonly Dictionary<string, int> numbers = new(StringComparer.Ordinal);
    private readonly List<string> texts = [];

    public int Count => texts.Count;

    public string this[int number] => texts[number];

    public int NumberOf(string text)
    {
        if (numbers.TryGetValue(text, out var number)) return number;
        texts.Add(text);
        return numbers[text] = texts.Count - 1;
    }
}
