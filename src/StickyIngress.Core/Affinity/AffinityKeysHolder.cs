namespace StickyIngress.Core.Affinity;

/// <summary>The keys of opaque cookies that are in use now, and the swap when their file changes.</summary>
public sealed class AffinityKeysHolder(AffinityKeys keys)
{
    private AffinityKeys _current = keys;
    private volatile string? _trouble;

    /// <summary>Raised after each swap, on the thread that swapped.</summary>
    public event Action? Changed;

    public AffinityKeys Current => Volatile.Read(ref _current);

    /// <summary>Why the keys are not those of their file as it is now; null: they are.</summary>
    public string? Trouble
    {
        get => _trouble;
        set => _trouble = value;
    }

    public void Publish(AffinityKeys next)
    {
        Volatile.Write(ref _current, next);
        Changed?.Invoke();
    }
}
