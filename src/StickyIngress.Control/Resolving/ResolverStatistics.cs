namespace StickyIngress.Control.Resolving;

/// <summary>Tells the observers of the zones that are in use; of one that is not any more nothing is told after it is gone.</summary>
internal sealed class ResolverStatistics(IEnumerable<IResolverObserver> observers)
{
    private readonly IResolverObserver[] _observers = [.. observers];
    private readonly Lock _gate = new();
    private HashSet<string> _zones = [];

    /// <summary>These zones are in use, and no others.</summary>
    public void Use(IEnumerable<string> zones)
    {
        lock (_gate)
        {
            var former = _zones;
            _zones = [.. zones];
            foreach (var gone in former.Except(_zones))
            {
                foreach (var observer in _observers) observer.Gone(gone);
            }
        }
    }

    public void Asked(string? zone, QuestionKind kind) => Tell(zone, observer => observer.Asked(zone!, kind));

    public void Answered(string? zone, QuestionOutcome outcome) => Tell(zone, observer => observer.Answered(zone!, outcome));

    private void Tell(string? zone, Action<IResolverObserver> tell)
    {
        if (zone is null) return;

        lock (_gate)
        {
            if (!_zones.Contains(zone)) return;

            foreach (var observer in _observers) tell(observer);
        }
    }
}
