using System.Numerics;

namespace StickyIngress.Core.Upstreams;

/// <summary>
/// About how many distinct clients there were in the last so many seconds. All clients of a peer have the same cookie,
/// so what is counted is their addresses: clients behind one address count as one. Off by some 7 % beyond that.
/// </summary>
/*
 * HyperLogLog with 256 registers of a byte (Flajolet et al. 2007), with linear counting while registers are still
 * empty, so that zero is zero. The window slides by five sketches, each for a quarter of it: the current one and the
 * four before, so it is at most a quarter too long. Adding touches one byte and takes no lock; of two threads that add
 * at once one may be lost, which an estimate can bear.
 */
internal sealed class ClientEstimate
{
    /// <summary>Seconds.</summary>
    public const long DefaultWindow = 600;

    private const int Sketches = 5;
    private const int Registers = 256;

    private readonly long _step;
    private readonly byte[] _registers = new byte[Sketches * Registers];
    private readonly long[] _steps = new long[Sketches];

    public ClientEstimate(long window)
    {
        Window = window;
        _step = Math.Max(1, window / (Sketches - 1));
        Array.Fill(_steps, long.MinValue);
    }

    /// <summary>Seconds.</summary>
    public long Window { get; }

    /// <param name="hash">Of the client; any 32 bits that tell clients apart.</param>
    /// <param name="now">Unix seconds.</param>
    public void Add(uint hash, long now)
    {
        var step = now / _step;
        var sketch = (int)(step % Sketches);
        var registers = _registers.AsSpan(sketch * Registers, Registers);
        var known = Volatile.Read(ref _steps[sketch]);
        if (known != step && Interlocked.CompareExchange(ref _steps[sketch], step, known) == known) registers.Clear();

        var mixed = Mix(hash);
        var rank = (byte)(BitOperations.LeadingZeroCount(mixed << 8) + 1);
        ref var register = ref registers[(int)(mixed >> 56)];
        if (register < rank) register = rank;
    }

    /// <param name="now">Unix seconds.</param>
    public long Estimate(long now)
    {
        Span<byte> union = stackalloc byte[Registers];
        union.Clear();
        var step = now / _step;
        for (var sketch = 0; sketch < Sketches; sketch++)
        {
            if (Volatile.Read(ref _steps[sketch]) <= step - Sketches) continue;

            var registers = _registers.AsSpan(sketch * Registers, Registers);
            for (var i = 0; i < Registers; i++) union[i] = Math.Max(union[i], registers[i]);
        }

        return Count(union);
    }

    private static long Count(ReadOnlySpan<byte> registers)
    {
        var (sum, empty) = (0.0, 0);
        foreach (var register in registers)
        {
            sum += 1.0 / (1UL << register);
            if (register == 0) empty++;
        }

        var estimate = 0.7213 / (1 + (1.079 / Registers)) * Registers * Registers / sum;
        if (estimate <= 2.5 * Registers && empty > 0) estimate = Registers * Math.Log((double)Registers / empty);
        return (long)Math.Round(estimate);
    }

    // SplitMix64, so that every input bit reaches both the register's number and its rank.
    private static ulong Mix(ulong hash)
    {
        hash += 0x9E3779B97F4A7C15;
        hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
        hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
        return hash ^ (hash >> 31);
    }
}
