using StickyIngress.Api;
using StickyIngress.Control.Sources;

namespace StickyIngress.Control.Compilation;

/// <summary>
/// What a change touches. The source says what changed since the version before; where versions were skipped, the two sets tell
/// themselves, because they share what did not change.
/// </summary>
internal static class ChangePass
{
    public static IReadOnlySet<ResourceRef> Between(CompileResult previous, ResourceSet resources, AddressBook addresses, DateTimeOffset now)
    {
        var changed = resources.Changed is { } told && resources.Version == previous.Resources.Version + 1
            ? new(told)
            : Compare(previous.Resources, resources);
        AddChanges(previous.Addresses.Hosts, addresses.Hosts, ReferencePass.HostRef, changed);
        AddChanges(previous.Addresses.Answers, addresses.Answers, name => name.Ref, changed);

        // A certificate that has ended is another than it was, though its Secret did not change.
        changed.UnionWith(previous.CertificateEnds.EndedBy(now));
        return changed;
    }

    public static void Run(CompileRun run)
    {
        foreach (var changed in run.Changed)
        {
            if (changed.Kind is StickyUpstream.KindName or Api.Kubernetes.Ingress.KindName) run.Dirty.Add(changed);
            if (run.Previous.Users.TryGetValue(changed, out var users)) run.Dirty.UnionWith(users);
        }

        if (run.OwnershipChanged)
        {
            run.Dirty.UnionWith(run.Resources.Upstreams.Keys);
            run.Dirty.UnionWith(run.Resources.Ingresses.Keys);
        }

        if (run.Keys != run.Previous.Keys)
            run.Dirty.UnionWith(run.Previous.Upstreams.Where(known => known.Value.Plan?.Source.Spec.Sticky is { Cookie: not null } or { Learn.Sync: true }).Select(known => known.Key));

        run.Dirty.UnionWith(run.Overrides.ChangedSince(run.Previous.Overrides)
            .Select(name => new ResourceRef(StickyUpstream.KindName, name.Namespace, name.Name))
            .Where(run.Previous.Upstreams.ContainsKey));

        if (run.Resources.Diagnostics == run.Previous.Resources.Diagnostics) return;

        var former = CompileRun.Errors(run.Previous.Resources);
        former.SymmetricExceptWith(run.Unreadable);
        foreach (var named in former.Where(named => named.Kind == StickyUpstream.KindName))
        {
            run.Dirty.Add(named);
            if (run.Previous.Users.TryGetValue(named, out var users)) run.Dirty.UnionWith(users);
        }
    }

    private static HashSet<ResourceRef> Compare(ResourceSet former, ResourceSet now)
    {
        var changed = new HashSet<ResourceRef>();
        if (ReferenceEquals(former, now)) return changed;

        AddChanges(former.Upstreams, now.Upstreams, named => named, changed);
        AddChanges(former.Services, now.Services, named => named, changed);
        AddChanges(former.EndpointSlices, now.EndpointSlices, named => named, changed);
        AddChanges(former.Ingresses, now.Ingresses, named => named, changed);
        AddChanges(former.IngressClasses, now.IngressClasses, named => named, changed);
        AddChanges(former.Secrets, now.Secrets, named => named, changed);
        return changed;
    }

    /// <summary>Compares by reference (an array by the array that it wraps), not by content.</summary>
    private static void AddChanges<TKey, TValue>(
        IReadOnlyDictionary<TKey, TValue> former, IReadOnlyDictionary<TKey, TValue> now, Func<TKey, ResourceRef> nameOf, HashSet<ResourceRef> changed)
        where TKey : notnull
    {
        if (ReferenceEquals(former, now)) return;

        foreach (var (key, value) in now)
        {
            if (!former.TryGetValue(key, out var known) || !Same(known, value)) changed.Add(nameOf(key));
        }

        foreach (var key in former.Keys)
        {
            if (!now.ContainsKey(key)) changed.Add(nameOf(key));
        }
    }

    private static bool Same<T>(T one, T other) =>
        typeof(T).IsValueType ? EqualityComparer<T>.Default.Equals(one, other) : ReferenceEquals(one, other);
}
