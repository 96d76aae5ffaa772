namespace StickyIngress.Kubernetes;

/// <summary>Waits that double from one failure to the next, each shortened by up to a half at random so that replicas do not act as one.</summary>
internal sealed class Backoff(TimeSpan first, TimeSpan last, Random random)
{
    /// <summary>A server that asks for more is not meant to be waited for.</summary>
    private static readonly TimeSpan MostAsked = TimeSpan.FromMinutes(10);

    private int _failures;

    public TimeSpan Next()
    {
        var whole = first * Math.Pow(2, Math.Min(_failures++, 30));
        return (whole < last ? whole : last) * (0.5 + random.NextDouble() / 2);
    }

    /// <summary>The same after a refusal, but no less than the server asks for, within reason.</summary>
    public TimeSpan Next(TimeSpan? asked)
    {
        var (ours, theirs) = (Next(), asked ?? TimeSpan.Zero);
        if (theirs > MostAsked) theirs = MostAsked;
        return ours < theirs ? theirs : ours;
    }

    public void Reset() => _failures = 0;
}
