using System.Runtime.CompilerServices;

namespace DmlPipeline.Learning.Data;

/// <summary>
/// A small random generator whose whole state comes from its arguments (SplitMix64, Steele, Lea and Flood 2014):
/// the same seed and counters give the same numbers on any thread, in any order, after any restart.
/// </summary>
public struct CounterRandom
{
    private ulong state;

    /// <summary>A stream of its own for every (seed, a, b): say, the run's seed, the step and the place in the batch.</summary>
    public CounterRandom(long seed, long a, long b = 0) =>
        state = Mix(Mix(Mix((ulong)seed + Golden) ^ ((ulong)a * 0xD1B54A32D192ED03)) ^ ((ulong)b * 0x8CB92BA72F3D8DD7));

    private const ulong Golden = 0x9E3779B97F4A7C15;

    public ulong NextBits() => Mix(state += Golden);

    /// <summary>Uniform in [0, 1), on a grid of 2^-24.</summary>
    public float NextFloat() => (NextBits() >> 40) * (1f / (1 << 24));

    /// <summary>Uniform in [0, 1), on a grid of 2^-53.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1L << 53));

    /// <summary>Uniform in [low, high).</summary>
    public float Between(float low, float high) => low + ((high - low) * NextFloat());

    /// <summary>Uniform in 0 … count-1 (multiply and shift; the bias of count/2^64 is far below anything measurable).</summary>
    public int Below(int count) => (int)Math.BigMul(NextBits(), (ulong)count, out _);

    /// <summary>Fisher-Yates.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Below(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
