namespace StickyIngress.Testing.Rollout;

/// <summary>A proxy as a process of its own, that is told which pods there are.</summary>
public interface IRolloutProxy : IAsyncDisposable
{
    Uri Address { get; }

    /// <summary>What Kubernetes says now. Does not wait for the proxy to follow.</summary>
    Task ApplyAsync(IReadOnlyList<Pod> pods);

    /// <summary>The proxy's own account of broken sessions, by reason; empty: it has none.</summary>
    Task<string> BreaksAsync();
}
