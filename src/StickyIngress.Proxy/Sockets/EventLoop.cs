using System.Diagnostics;
using StickyIngress.Core;

namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// A thread that sees the events of many sockets and does on the spot what waits for them, so that a request never waits for another thread.
/// There is one for each core. What it runs must not block; what takes long leaves it, see <see cref="LargeBody"/>.
/// </summary>
/*
 * Kestrel's sockets and the runtime's engine can nearly do this: with inline scheduling and a switch that is not public. They cost more: each side is
 * asked for bytes before there are any, an idle connection holds a buffer, and each read passes two queues and a pipe.
 */
internal sealed class EventLoop
{
    /// <summary>Taken from the system at once; what is beyond comes with the next call.</summary>
    private const int Batch = 256;

    private static readonly Lazy<EventLoop[]> All = new(() => [.. Enumerable.Range(0, Environment.ProcessorCount).Select(static number => new EventLoop(number))]);
    private static int _next;

    [ThreadStatic]
    private static EventLoop? _current;

    private readonly int _poll = Epoll.Create();
    private readonly Lock _gate = new();
    private readonly Stack<int> _free = [];
    private LoopSocket?[] _sockets = new LoopSocket[64];
    private int _count;
    private uint _generation;

    private EventLoop(int number)
    {
        new Thread(Run) { IsBackground = true, Name = $"event loop {number}" }.UnsafeStart();
    }

    /// <summary>Elsewhere the runtime's own sockets do the work.</summary>
    public static bool IsSupported => Epoll.IsSupported;

    /// <summary>The loop on whose thread this is, so that what belongs together is seen by one; else <see cref="Next"/>.</summary>
    public static EventLoop Nearest => _current ?? Next;

    /// <summary>This is its thread.</summary>
    public bool IsCurrent => _current == this;

    /// <summary>All in turn.</summary>
    public static EventLoop Next => All.Value[(uint)Interlocked.Increment(ref _next) % (uint)All.Value.Length];

    /// <summary>What its sockets send when the events at hand are told; for its thread.</summary>
    public Outbox Outbox { get; } = new();

    /// <summary>From now on its events are seen here.</summary>
    public void Add(LoopSocket socket)
    {
        lock (_gate)
        {
            if (!_free.TryPop(out var slot))
            {
                slot = _count++;
                if (slot == _sockets.Length) Array.Resize(ref _sockets, 2 * slot);
            }

            socket.Token = ((ulong)++_generation << 32) | (uint)slot;
            Volatile.Write(ref _sockets[slot], socket);
            socket.Loop = this;
        }

        Epoll.Add(_poll, socket.Handle, Epoll.In | Epoll.Out | Epoll.ReadHangUp | Epoll.EdgeTriggered, socket.Token);
    }

    /// <summary>Its events are seen no more; to be called before it is closed, and of no effect the second time.</summary>
    public void Remove(LoopSocket socket)
    {
        var slot = (int)(uint)socket.Token;
        lock (_gate)
        {
            if (_sockets[slot] != socket) return;
            _sockets[slot] = null;
            _free.Push(slot);
        }
    }

    private void Run()
    {
        _current = this;
        TimeSlice.TryShorten();
        var entries = new byte[Batch * Epoll.EventSize];
        while (true)
        {
            var count = Epoll.Wait(_poll, entries);
            Clock.BeginTurn();
            for (var i = 0; i < count; i++)
            {
                var (events, data) = Epoll.Read(entries, i);

                // An event of a socket that was closed since may find another one in its place.
                if (Volatile.Read(ref _sockets)[(int)(uint)data] is { } socket && socket.Token == data) Tell(socket, events);
            }

            Outbox.Send();
        }
    }

    private static void Tell(LoopSocket socket, uint events)
    {
        try
        {
            socket.Happened(events);
        }
        catch (Exception e)
        {
            // Whoever waited has failed by itself; the others' events are still to be told.
            Trace.TraceError($"{nameof(EventLoop)}: {e}");
        }
    }
}
