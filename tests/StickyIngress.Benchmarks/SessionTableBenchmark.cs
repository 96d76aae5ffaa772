using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using StickyIngress.Core.Sessions;

namespace StickyIngress.Benchmarks;

/// <summary>Budget: a lookup among a million sessions takes at most 100 ns on one core and allocates nothing.</summary>
[MemoryDiagnoser]
public class SessionTableBenchmark
{
    private const int Sessions = 1_000_000;
    private readonly SessionKey[] _keys = new SessionKey[Sessions];
    private SessionTable _table = null!;

    [GlobalSetup]
    public void Setup()
    {
        var random = new Random(1);
        _table = new(new(Sessions, TimeSpan.FromHours(1)), TimeProvider.System);
        random.NextBytes(MemoryMarshal.AsBytes(_keys.AsSpan()));
        for (var i = 0; i < Sessions; i++) _table.Learn(_keys[i], i % 10, mayCreate: true);

        random.Shuffle(_keys);
    }

    [Benchmark(OperationsPerInvoke = Sessions)]
    public int Find()
    {
        var found = 0;
        foreach (var key in _keys)
        {
            if (_table.TryFind(key, out _)) found++;
        }

        return found;
    }
}
