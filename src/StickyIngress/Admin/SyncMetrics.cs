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

    public SyncMetrics(IMetricFactory factory, ILogger<SyncMetrics> logger)
    {
        _logger = logger;
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

    public void Away(string reason) => Log.StoreAway(_logger, reason);

    public void Back() => Log.StoreBack(_logger);

    private static string Word<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
