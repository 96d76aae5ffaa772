using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// Threads for what takes long and hurries nobody: TLS handshakes and large bodies. There is one for each core, and they are nicer than the event loops, so that
/// those have the core as soon as they have something to do; else each would wait until a handshake is through with its share. What they run must not block.
/// </summary>
internal static partial class BulkThreads
{
    /// <summary>As in nice(2). Where others want the core all the time they get a tenth of it: 110 parts of the scheduler's beside 1024.</summary>
    private const int Niceness = 10;

    private static readonly Lazy<BlockingCollection<(Action<object?> Do, object? State)>> Work = new(Start);

    [ThreadStatic]
    private static bool _isCurrent;

    /// <summary>Does something when what was there before has been done.</summary>
    public static void Queue(Action<object?> action, object? state) => Work.Value.Add((action, state));

    /// <summary>To be awaited: what follows is done there, after what waits for its turn already.</summary>
    public static Turn TakeTurn() => default;

    private static BlockingCollection<(Action<object?> Do, object? State)> Start()
    {
        var work = new BlockingCollection<(Action<object?> Do, object? State)>();
        for (var i = 0; i < Environment.ProcessorCount; i++)
        {
            new Thread(Run) { IsBackground = true, Name = $"bulk {i}" }.UnsafeStart(work);
        }

        return work;
    }

    private static void Run(object? work)
    {
        _isCurrent = true;
        if (OperatingSystem.IsLinux()) _ = nice(Niceness);
        foreach (var (action, state) in ((BlockingCollection<(Action<object?> Do, object? State)>)work!).GetConsumingEnumerable())
        {
            try
            {
                action(state);
            }
            catch (Exception e)
            {
                // Whoever waited has failed by itself; others wait for their turn.
                Trace.TraceError($"{nameof(BulkThreads)}: {e}");
            }
        }
    }

    /// <summary>On Linux that of the calling thread alone.</summary>
    [LibraryImport("libc")]
    private static partial int nice(int increment);

    /// <summary>An awaitable, and what awaits it.</summary>
    public readonly struct Turn : ICriticalNotifyCompletion
    {
        /// <summary>It is there, and nobody waits.</summary>
        public bool IsCompleted => _isCurrent && Work.Value.Count == 0;

        public Turn GetAwaiter() => this;

        public void GetResult()
        {
        }

        public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

        public void UnsafeOnCompleted(Action continuation) => Queue(static continuation => ((Action)continuation!)(), continuation);
    }
}
