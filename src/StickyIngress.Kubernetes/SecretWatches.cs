using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Kubernetes;

/// <summary>
/// Watches the Secrets that resources name, each by itself, so that no permission to read others is needed and none is held in memory.
/// </summary>
internal sealed class SecretWatches(WatchContext context, ResourceStore<Secret> store, Lock gate, Random random, CancellationToken stopping)
{
    private readonly Dictionary<ResourceRef, ResourceRef[]> _namedBy = [];
    private readonly Dictionary<ResourceRef, Watch> _watches = [];

    /// <summary>The resource names these Secrets now. The gate is held by the caller.</summary>
    public void Update(ResourceRef owner, ResourceRef[] named)
    {
        if (!_namedBy.Remove(owner, out var former)) former = [];
        if (named.Length > 0) _namedBy[owner] = named;

        foreach (var secret in named) Begin(secret);
        foreach (var secret in former)
        {
            if (--_watches[secret].Named == 0) End(secret);
        }
    }

    /// <summary>Ends when each Secret that is named now was looked for.</summary>
    public Task ListedAsync()
    {
        lock (gate) return Task.WhenAll(_watches.Values.Select(watch => watch.Watcher.Listed));
    }

    /// <summary>What there is to tell about reading the Secrets. The gate is held by the caller.</summary>
    public IEnumerable<Diagnostic> Diagnostics => _watches.SelectMany(watch => watch.Value.Watcher.Diagnostics(watch.Key, "the Secret"));

    public Task StopAsync()
    {
        lock (gate) return Task.WhenAll(_watches.Values.Select(watch => watch.Running));
    }

    private void Begin(ResourceRef secret)
    {
        if (!_watches.TryGetValue(secret, out var watch))
        {
            var watcher = new ResourceWatcher<Secret>(context, store, new(secret.Namespace, secret.Name), new Random(random.Next()));
            var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            watch = new(watcher, stop, Task.Run(() => watcher.RunAsync(stop.Token), CancellationToken.None));
            _watches[secret] = watch;
        }

        watch.Named++;
    }

    private void End(ResourceRef secret)
    {
        _watches.Remove(secret, out var watch);
        _ = ForgetAsync(secret, watch!);
    }

    /// <summary>Only once the watch has ended, or it might put the Secret back.</summary>
    private async Task ForgetAsync(ResourceRef secret, Watch watch)
    {
        await watch.Stop.CancelAsync();
        await watch.Running;
        watch.Stop.Dispose();
        lock (gate)
        {
            if (!_watches.ContainsKey(secret)) store.Remove(secret);
        }
    }

    private sealed record Watch(ResourceWatcher<Secret> Watcher, CancellationTokenSource Stop, Task Running)
    {
        /// <summary>By how many places of resources.</summary>
        public int Named { get; set; }
    }
}
