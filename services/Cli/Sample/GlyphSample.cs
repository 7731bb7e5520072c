using DmlPipeline.Imaging;

namespace DmlPipeline.Cli.Sample;

/// <summary>Writes a sample data set: characters of made-up scripts, each drawn by several hands, much like Omniglot in small.</summary>
public static class GlyphSample
{
    /// <summary>Pixels of each side.</summary>
    public const int Side = 64;

    /// <summary>
    /// Writes AlphabetNN/characterNN/NN.png under <paramref name="folder"/>: grey, dark ink on white. Equal arguments give equal files;
    /// within an alphabet, drawings of the same number come from the same hand.
    /// </summary>
    public static void Write(string folder, int alphabets, int charactersPerAlphabet, int drawingsPerCharacter, int seed, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(alphabets);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(charactersPerAlphabet);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(drawingsPerCharacter);
        for (var a = 0; a < alphabets; a++)
        {
            var alphabet = new GlyphAlphabet(charactersPerAlphabet, new GlyphRandom(seed, a));
            var hands = new GlyphHand[drawingsPerCharacter];
            for (var h = 0; h < hands.Length; h++) hands[h] = new GlyphHand(new GlyphRandom(seed, a, -1 - h));
            for (var c = 0; c < charactersPerAlphabet; c++)
            {
                cancel.ThrowIfCancellationRequested();
                var target = Directory.CreateDirectory(Path.Combine(folder, $"Alphabet{a + 1:00}", $"character{c + 1:00}"));
                for (var d = 0; d < drawingsPerCharacter; d++)
                {
                    var pixels = hands[d].Draw(alphabet.Characters[c], Side, new GlyphRandom(seed, a, c, d));
                    File.WriteAllBytes(Path.Combine(target.FullName, $"{d + 1:00}.png"), PngEncoder.Encode(new Image(Side, Side, 1, pixels)));
                }
            }
        }
    }
}
