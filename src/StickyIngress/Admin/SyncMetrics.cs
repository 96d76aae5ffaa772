using Prometheus;
using StickyIngress.Core.Sharing;

namespace StickyIngress.Admin;

/// <summary>What sharing sessions with other replicas does and costs, and whether the store is there.</summary>
internal sealed class SyncMetrics : ISharingObserver
{
    private readonly ILogger<SyncMetrics> _logger;
    private readonly Counter.Child[][] _operations;
    private readonly Histogram.Child[] _durations;
    private readonly Counter _conflicts;
    private readonly Counter _adopted;
    private readonly TimeProvider _time;
    private long _told; // when of a key that is of no use; 0: never

    public SyncMetrics(IMetricFactory factory, TimeProvider time, ILogger<SyncMetrics> logger)
    {
        (_logger, _time) = (logger, time);
        var operations = factory.CreateCounter(
            "stickyingress_session_sync_operations_total", "Sessions written to the shared store, read from it, and heard of, by what came of it.", ["operation", "outcome"]);
        var durations = factory.CreateHistogram(
            "stickyingress_session_sync_duration_seconds", "Time until the shared store answered, or was given up.", ["operation"],
            new HistogramConfiguration { Buckets = Histogram.ExponentialBuckets(0.0001, 2, 15) });
        _operations = [.. Enum.GetValues<SharingOperation>().Select(operation =>
            Enum.GetValues<SharingOutcome>().Select(outcome => operations.WithLabels(Word(operation), Word(outcome))).ToArray())];
        _durations = [.. Enum.GetValues<SharingOperation>().Where(operation => operation != SharingOperation.Hear).Select(operation => durations.WithLabels(Word(operation)))];
        _conflicts = factory.CreateCounter(
            "stickyingress_session_sync_conflicts_total", "Sessions that two replicas had bound to two peers, where this one gave way.");
        _adopted = factory.CreateCounter("stickyingress_session_sync_adopted_total", "Bindings taken over from other replicas.");
    }

    public void Done(SharingOperation operation, SharingOutcome outcome, TimeSpan duration)
    {
        _operations[(int)operation][(int)outcome].Inc();
        if (duration > TimeSpan.Zero) _durations[(int)operation].Observe(duration.TotalSeconds);
    }

    public void Conflict() => _conflicts.Inc();

    public void Adopted() => _adopted.Inc();

    public void Away(string part, string reason) => Log.StoreAway(_logger, Named(part), reason);

    public void Back(string part) => Log.StoreBack(_logger, Named(part));

    /// <summary>Told once a minute: who fills the store with other things does so with many keys.</summary>
    public void Unusable(string reason)
    {
        var now = _time.GetTimestamp();
        var told = Interlocked.Read(ref _told);
        if (told != 0 && _time.GetElapsedTime(told, now) < TimeSpan.FromMinutes(1)) return;
        if (Interlocked.CompareExchange(ref _told, now, told) == told) Log.UnusableKey(_logger, reason);
    }

    private static string Named(string part) => part.Length == 0 ? "the store" : $"the store's shard {part}";

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
