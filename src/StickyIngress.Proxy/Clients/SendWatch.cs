using StickyIngress.Core;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Clients;

/// <summary>
/// Watches from one timer what waits for clients that take nothing of what is sent to them, see <see cref="SendLimit"/>. What is sent at once never comes
/// here; what was ended is so to within the timer's period.
/// </summary>
internal sealed class SendWatch : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>How long a client may take nothing: nginx's <c>send_timeout</c>, between two writes.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly PlacedList<SendLimit> _all = new();
    private readonly Clock _clock;
    private readonly ITimer _timer;

    public SendWatch(TimeProvider time, Clock clock)
    {
        _clock = clock;
        _timer = time.CreateTimer(static watch => ((SendWatch)watch!).Look(), this, Period, Period);
    }

    /// <summary>When a wait that begins now is late: Unix milliseconds.</summary>
    public long Late => _clock.Milliseconds + (long)Limit.TotalMilliseconds;

    public void Add(SendLimit limit)
    {
        lock (_gate) _all.Add(limit);
    }

    public void Remove(SendLimit limit)
    {
        lock (_gate) _all.Remove(limit);
    }

    public void Dispose() => _timer.Dispose();

    private void Look()
    {
        var now = _clock.Milliseconds;
        SendLimit[] late;
        lock (_gate) late = [.. _all.All.Where(limit => limit.IsLate(now))];

        foreach (var limit in late) limit.EndIfLate(now);
    }
}
