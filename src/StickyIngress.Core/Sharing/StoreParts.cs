using System.Collections.Frozen;

namespace StickyIngress.Core.Sharing;

/// <summary>How each part of the store is. A part that is new, or not known to be one, is away until a probe has succeeded.</summary>
internal sealed class StoreParts(ISharedStore store, SharingOptions options, TimeProvider time, ISharingObserver observer)
{
    private volatile FrozenDictionary<string, StoreHealth> _all = FrozenDictionary<string, StoreHealth>.Empty;

    /// <summary>Some part takes writes that did not, or has what another had.</summary>
    public event Action? Changed;

    public bool IsAway
    {
        get
        {
            var all = _all.Values;
            return all.Length == 0 || all.Any(part => part.IsAway);
        }
    }

    /// <summary>The part that has a key; null: it is not known.</summary>
    public StoreHealth? Of(in SharedKey key)
    {
        var all = _all;
        return all.Count == 1 ? all.Values[0] : all.GetValueOrDefault(store.PartOf(key));
    }

    /// <summary>The parts that all sessions are to be offered to again, which is then up to the caller.</summary>
    public List<StoreHealth> TakeReoffer() => [.. _all.Values.Where(part => part.TakeReoffer())];

    public async Task ProbeAsync()
    {
        LookForParts();
        await Task.WhenAll(_all.Values.Select(part => part.ProbeAsync()));
    }

    /// <summary>Probes until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await ProbeAsync();
            await Task.Delay(IsAway ? options.ProbeInterval / 5 : options.ProbeInterval, time, cancellationToken);
        }
    }

    private void LookForParts()
    {
        try
        {
            var parts = store.Parts.Distinct().ToArray(); // several whose address is not known yet are called alike
            if (parts.Length == _all.Count && parts.All(_all.ContainsKey)) return;

            _all = parts.ToFrozenDictionary(part => part, part => _all.GetValueOrDefault(part) ?? New(part));
            Changed?.Invoke();
        }
        catch (Exception)
        {
            // Its connection is being replaced: the parts are those that they were until the next probe.
        }
    }

    private StoreHealth New(string part)
    {
        var health = new StoreHealth(store, part, options, time, observer);
        health.Writable += () => Changed?.Invoke();
        return health;
    }
}
