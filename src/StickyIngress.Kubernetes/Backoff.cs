namespace StickyIngress.Kubernetes;

/// <summary>Waits that double from one failure to the next, each shortened by up to a half at random so that replicas do not act as one.</summary>
internal sealed class Backoff(TimeSpan first, TimeSpan last, Random random)
{
    private int _failures;

    public TimeSpan Next()
    {
        var whole = first * Math.Pow(2, Math.Min(_failures++, 30));
        return (whole < last ? whole : last) * (0.5 + random.NextDouble() / 2);
    }

    public void Reset() => _failures = 0;
}
