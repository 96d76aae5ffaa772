using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Control.Compilation;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Sources;

namespace StickyIngress.Kubernetes;

/// <summary>
/// The cluster as a source: a watch per kind and namespace fills the stores, and what changed in them goes into the next set. What was
/// read stays in service while the API server is away.
/// </summary>
public sealed class ClusterSource : IResourceSource
{
    private readonly ApiServer _server;
    private readonly ClusterOptions _options;
    private readonly IClusterObserver _observer;
    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger<ClusterSource> _logger;

    private readonly Lock _gate = new();
    private readonly ResourceStore<StickyUpstream> _upstreams;
    private readonly ResourceStore<Service> _services;
    private readonly ResourceStore<EndpointSlice> _slices;
    private readonly ResourceStore<Ingress> _ingresses;
    private readonly ResourceStore<IngressClass> _classes;
    private readonly ResourceStore<Secret> _secrets;
    private readonly ResourceStore<Service> _published;
    private readonly ResourceRef? _publishedService;
    private readonly PendingChanges _pending = new();

    private Coalescer? _coalescer;
    private SecretWatches? _secretWatches;

    public ClusterSource(
        ApiServer server, ClusterOptions options, IClusterObserver observer, TimeProvider time, Random random, ILogger<ClusterSource> logger)
    {
        (_server, _options, _observer, _time, _random, _logger) = (server, options, observer, time, random, logger);
        _publishedService = options.PublishedService?.Split('/') is [var space, var name] ? new(Service.KindName, space, name) : null;
        _upstreams = new(ResourceKinds.StickyUpstreams, _gate, (named, _, now) => UserChanged(named, now), Touch);
        _ingresses = new(ResourceKinds.Ingresses, _gate, (named, _, now) => UserChanged(named, now), Touch);
        _services = new(ResourceKinds.Services, _gate, ServiceChanged);
        _slices = new(ResourceKinds.EndpointSlices, _gate, SliceChanged);
        _classes = new(ResourceKinds.IngressClasses, _gate, ClassChanged);
        _secrets = new(ResourceKinds.Secrets, _gate, (named, _, now) => Note(named, now));
        _published = new(ResourceKinds.Services, _gate, (_, _, _) => PublishedServiceChanged?.Invoke());
    }

    /// <summary>An object changed only in its status or its version. Raised under a lock: must not block.</summary>
    internal event Action<ResourceRef>? StatusChanged;

    /// <summary>The addresses of the published Service may have changed. Raised under a lock: must not block.</summary>
    internal event Action? PublishedServiceChanged;

    /// <summary>The addresses of the published Service; null while it is not known.</summary>
    internal IReadOnlyList<string>? PublishedAddresses
    {
        get
        {
            if (_publishedService is not { } named) return null;
            if (!_services.TryGet(named, out var service) && !_published.TryGet(named, out service)) return null;

            return service.Type == "ExternalName" ? [service.ExternalName] : service.LoadBalancerAddresses;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<ResourceSet> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var coalescer = new Coalescer(_options.Quiet, _options.Ceiling, _time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var watches = Begin(coalescer, stop.Token);
        try
        {
            await Task.WhenAll(watches.Select(watch => watch.Listed)).WaitAsync(cancellationToken);
            await _secretWatches.ListedAsync().WaitAsync(cancellationToken);

            var former = Next(ResourceSet.Empty, watches) with { Changed = null };
            yield return former;

            while (true)
            {
                await coalescer.WaitAsync(cancellationToken);
                var next = Next(former, watches);
                if (ReferenceEquals(next, former)) continue;

                yield return next;
                former = next;
            }
        }
        finally
        {
            await stop.CancelAsync();
            await Task.WhenAll(watches.Select(watch => watch.Running));
            await _secretWatches.StopAsync();
            _coalescer = null;
        }
    }

    /// <summary>The object as it is now, its status included.</summary>
    internal bool TryGetUpstream(ResourceRef named, [NotNullWhen(true)] out StickyUpstream? found) => _upstreams.TryGet(named, out found);

    /// <summary>The object as it is now, its status included.</summary>
    internal bool TryGetIngress(ResourceRef named, [NotNullWhen(true)] out Ingress? found) => _ingresses.TryGet(named, out found);

    [MemberNotNull(nameof(_secretWatches))]
    private List<KindWatch> Begin(Coalescer coalescer, CancellationToken stopping)
    {
        _coalescer = coalescer;
        var context = new WatchContext(_server, _options.Watch, _observer, _time, _logger, coalescer.Signal);
        _secretWatches = new(context, _secrets, _gate, _random, stopping);
        WatchScope[] scopes = _options.Namespaces.Count == 0 ? [default] : [.. _options.Namespaces.Distinct().Select(name => new WatchScope(name))];
        var watches = new List<KindWatch>();
        foreach (var scope in scopes)
        {
            Add(_upstreams, scope);
            Add(_services, scope);
            Add(_slices, scope);
            Add(_ingresses, scope);
        }

        Add(_classes, default);
        if (_publishedService is { } named && !scopes.Any(scope => scope.Holds(named))) Add(_published, new(named.Namespace, named.Name));
        return watches;

        void Add<T>(ResourceStore<T> store, WatchScope scope)
            where T : Resource
        {
            var watcher = new ResourceWatcher<T>(context, store, scope, new Random(_random.Next()));
            var running = Task.Run(() => watcher.RunAsync(stopping), CancellationToken.None);
            watches.Add(new(watcher.Listed, running, () => watcher.Diagnostics(null, $"{store.Kind.Plural} in {scope.Place}")));
        }
    }

    /// <summary>The set with what changed since the former one; the former one itself if nothing did.</summary>
    private ResourceSet Next(ResourceSet former, List<KindWatch> watches)
    {
        DateTimeOffset? arrived;
        ResourceSet next;
        lock (_gate)
        {
            var builder = new ResourceSetBuilder(former);
            arrived = _pending.MoveTo(builder, former);
            var diagnostics = Diagnostics(watches);
            if (!builder.IsChanged && diagnostics.SequenceEqual(former.Diagnostics) && former.Version > 0) return former;

            next = builder.ToSet(diagnostics);
        }

        if (arrived is { } first) _observer.EndpointsChanged(next.Version, first);
        return next;
    }

    private ImmutableArray<Diagnostic> Diagnostics(List<KindWatch> watches)
    {
        return
        [
            .. _upstreams.Findings, .. _services.Findings, .. _slices.Findings, .. _ingresses.Findings, .. _classes.Findings,
            .. _secrets.Findings, .. watches.SelectMany(watch => watch.Diagnostics()), .. _secretWatches!.Diagnostics,
        ];
    }

    private void Note(ResourceRef named, Resource? now)
    {
        _pending.Note(named, now);
        _coalescer?.Signal();
    }

    private void Touch(ResourceRef named) => StatusChanged?.Invoke(named);

    private void UserChanged(ResourceRef named, Resource? now)
    {
        _secretWatches?.Update(named, SecretsOf(now));
        Note(named, now);
    }

    private void ServiceChanged(ResourceRef named, Service? former, Service? now)
    {
        Note(named, now);
        if (named == _publishedService) PublishedServiceChanged?.Invoke();
    }

    private void SliceChanged(ResourceRef named, EndpointSlice? former, EndpointSlice? now)
    {
        var arrived = _time.GetUtcNow();
        if (former is not null && former.ServiceName != now?.ServiceName) _pending.NoteSlice(former.ServiceName, named, null, arrived);
        if (now is not null) _pending.NoteSlice(now.ServiceName, named, now, arrived);
        _coalescer?.Signal();
    }

    private void ClassChanged(ResourceRef named, IngressClass? former, IngressClass? now)
    {
        Note(named, now);
        foreach (var (owner, upstream) in _upstreams.Objects) _secretWatches?.Update(owner, SecretsOf(upstream));
        foreach (var (owner, ingress) in _ingresses.Objects) _secretWatches?.Update(owner, SecretsOf(ingress));
    }

    /// <summary>The Secrets that the resource names, if it is ours: those of others are not our business.</summary>
    private ResourceRef[] SecretsOf(Resource? resource)
    {
        var ownership = new Ownership(_options.Compiler, _classes.Objects);
        var names = resource switch
        {
            StickyUpstream upstream when ownership.IsOurs(upstream) => SecretsOf(upstream.Spec),
            Ingress ingress when ownership.IsOurs(ingress) => ingress.Tls.Select(entry => entry.SecretName),
            _ => [],
        };
        return [.. names.Where(name => name.Length > 0).Distinct().Select(name => new ResourceRef(Secret.KindName, resource!.Metadata.Namespace, name))];
    }

    private static IEnumerable<string> SecretsOf(StickyUpstreamSpec spec)
    {
        var proxies = spec.Routes.Select(route => route.Proxy).Append(spec.Proxy);
        var toPeers = proxies.Select(proxy => proxy?.Tls).OfType<ProxyTlsSpec>().SelectMany(tls => new[] { tls.CaSecretName, tls.ClientCertSecretName });
        return spec.Tls.Select(entry => entry.SecretName).Concat(toPeers);
    }

    private sealed record KindWatch(Task Listed, Task Running, Func<IEnumerable<Diagnostic>> Diagnostics);
}
