namespace DmlPipeline.Cli.Sample;

/// <summary>SplitMix64: the same numbers from the same key on every machine and .NET version.</summary>
internal sealed class GlyphRandom
{
    private ulong state;

    public GlyphRandom(params ReadOnlySpan<int> key)
    {
        foreach (var part in key)
        {
            state ^= (uint)part;
            Next();
        }
    }

    /// <summary>0 to 1, without 1.</summary>
    public double Uniform() => (Next() >> 11) * (1.0 / (1UL << 53));

    public double Between(double low, double high) => low + ((high - low) * Uniform());

    /// <summary>0 to count - 1.</summary>
    public int Below(int count) => (int)(Uniform() * count);

    /// <summary>Nearly normal, mean 0, deviation 1; a sum of uniforms needs no transcendental function, whose last bit differs between machines.</summary>
    public double Normal() => (Uniform() + Uniform() + Uniform() + Uniform() - 2) * 1.7320508075688772;

    private ulong Next()
    {
        state += 0x9E3779B97F4A7C15;
        var mixed = state;
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9;
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB;
        return mixed ^ (mixed >> 31);
    }
}
