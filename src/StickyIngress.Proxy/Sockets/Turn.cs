using System.Runtime.CompilerServices;

namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// How much one body may move before the others on its thread have their turn. Where both sides keep up nothing is ever waited for, and a body of
/// any length would have the thread that sees everybody's events for itself.
/// </summary>
internal struct Turn
{
    private const int Bytes = 256 * 1024;

    private int _used;

    /// <summary>To the thread pool, to go on there.</summary>
    public static YieldAwaitable End() => Task.Yield();

    /// <summary>Whether with that many more bytes the turn is over; the next one then begins.</summary>
    public bool IsOverAfter(int count)
    {
        _used += count;
        if (_used < Bytes) return false;

        _used = 0;
        return true;
    }
}
