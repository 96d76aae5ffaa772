namespace StickyIngress.Core.Sharing;

/// <summary>
/// Says whether the store is worth asking. Open after some failures in a row; closed again by a probe, never by trying on a
/// request.
/// </summary>
internal sealed class CircuitBreaker(int failuresInARow)
{
    private int _failures;
    private volatile bool _open = true; // until the first probe

    public bool IsOpen => _open;

    public void Succeeded() => Volatile.Write(ref _failures, 0);

    /// <summary>Whether this failure opened it.</summary>
    public bool Failed() => Interlocked.Increment(ref _failures) >= failuresInARow && Open();

    /// <summary>Whether it was closed.</summary>
    public bool Open()
    {
        if (_open) return false;

        _open = true;
        return true;
    }

    public void Close()
    {
        Succeeded();
        _open = false;
    }
}
