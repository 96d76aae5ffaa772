using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core.Routing;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Compilation;

/// <summary>
/// Ingresses of our class. A backend is a StickyUpstream of the same namespace, or a Service, which gets an upstream with the defaults
/// named <c>service:port</c>: no StickyUpstream can have that name.
/// </summary>
internal static class IngressPass
{
    /// <summary>Plans the Ingresses that a change touches, and finds out which implicit upstreams there must be.</summary>
    public static void Run(CompileRun run)
    {
        var touched = run.Dirty.Where(named => named.Kind == Ingress.KindName).ToArray();
        if (touched.Length == 0) return;

        foreach (var named in touched) Plan(run, named);

        run.Implicit = [];
        foreach (var made in run.Ingresses.Values.SelectMany(plan => plan.Implicit)) run.Implicit.TryAdd(made.Ref, made);
        run.Dirty.UnionWith(run.Implicit.Keys.Where(named => !run.Upstreams.ContainsKey(named)));
        run.Dirty.UnionWith(run.Upstreams.Where(known => IsImplicit(known.Key) && !run.Implicit.ContainsKey(known.Key)).Select(known => known.Key));
    }

    public static bool IsImplicit(ResourceRef named) => named.Kind == StickyUpstream.KindName && named.Name.Contains(':', StringComparison.Ordinal);

    private static void Plan(CompileRun run, ResourceRef named)
    {
        var former = run.Ingresses.GetValueOrDefault(named);
        if (run.Resources.Ingresses.TryGetValue(named, out var ingress) && !run.Elsewhere.Contains(named))
            run.Ingresses[named] = new Drafting(run, ingress).Run();
        else
            run.Ingresses.Remove(named);

        run.SetUses(named, former?.Uses ?? [], run.Ingresses.GetValueOrDefault(named)?.Uses ?? []);
    }

    private sealed class Drafting(CompileRun run, Ingress ingress)
    {
        private readonly DiagnosticBag _found = new(ingress.Ref, ingress.File);
        private readonly ImmutableArray<RouteClaim>.Builder _routes = ImmutableArray.CreateBuilder<RouteClaim>();
        private readonly ImmutableArray<CertificateClaim>.Builder _certificates = ImmutableArray.CreateBuilder<CertificateClaim>();
        private readonly Dictionary<ResourceRef, StickyUpstream> _implicit = [];
        private readonly HashSet<ResourceRef> _uses = [];

        private string Namespace => ingress.Metadata.Namespace;

        public IngressPlan Run()
        {
            var hosts = new HashSet<HostPattern>();
            for (var i = 0; i < ingress.Rules.Count; i++)
            {
                if (Host(ingress.Rules[i].Host, $"spec.rules[{i}].host") is not { } host) continue;

                hosts.Add(host);
                AddPaths(host, ingress.Rules[i].Paths, $"spec.rules[{i}].http.paths");
            }

            if (ingress.DefaultBackend is { } fallback) AddDefault(hosts, fallback);
            for (var i = 0; i < ingress.Tls.Count; i++) AddCertificates(ingress.Tls[i], $"spec.tls[{i}]");

            return new()
            {
                Source = ingress,
                Routes = _routes.ToImmutable(),
                Certificates = _certificates.ToImmutable(),
                Implicit = [.. _implicit.Values],
                Diagnostics = _found.ToImmutable(),
                Uses = [.. _uses],
            };
        }

        private HostPattern? Host(string text, string field)
        {
            if (text.Length == 0) return HostPattern.Any;
            if (HostPattern.TryParse(text, out var host, out var error))
                return host.Kind == HostKind.Wildcard ? host with { OneLabel = true } : host;

            _found.Error(Reasons.InvalidHost, field, error);
            return null;
        }

        private void AddPaths(HostPattern host, IReadOnlyList<IngressPath> paths, string field)
        {
            for (var i = 0; i < paths.Count; i++)
            {
                var kind = paths[i].PathType == "Exact" ? PathKind.Exact : PathKind.Prefix;
                var text = paths[i].Path.Length == 0 ? "/" : paths[i].Path;
                RoutePass.WarnOfEncoding(_found, text, $"{field}[{i}].path");
                if (PathPattern.TryParse(kind, text, out var path, out var error))
                    _routes.Add(new(host, path, Target(paths[i].Backend, $"{field}[{i}].backend"), null, Https: null, $"{field}[{i}]"));
                else
                    _found.Error(Reasons.InvalidPath, $"{field}[{i}].path", error);
            }
        }

        /// <summary>What no rule matches: other paths of the Ingress' own hosts, and hosts that nobody has.</summary>
        private void AddDefault(HashSet<HostPattern> hosts, IngressBackend backend)
        {
            const string field = "spec.defaultBackend";
            var target = Target(backend, field);
            hosts.Add(HostPattern.Any);
            foreach (var host in hosts)
                _routes.Add(new(host, PathPattern.Any, target, null, Https: null, field, Fallback: true));
        }

        private void AddCertificates(IngressTls tls, string field)
        {
            if (tls.SecretName.Length == 0) return;

            var named = new ResourceRef(Secret.KindName, Namespace, tls.SecretName);
            _uses.Add(named);
            if (!run.Secrets.TryReadTls(named, $"{field}.secretName", _found, out var secret)) return;

            _certificates.AddRange(TlsPass.Claims(secret, tls.Hosts, field));
            TlsPass.CheckHosts(secret, tls.Hosts, $"{field}.hosts", _found);
        }

        private UpstreamName? Target(IngressBackend backend, string field)
        {
            if (backend.Resource is { } resource) return ToResource(resource, $"{field}.resource");
            return backend.Service is { } service ? ToService(service, $"{field}.service") : null;
        }

        private UpstreamName? ToResource(IngressResourceBackend resource, string field)
        {
            if (resource is not { ApiGroup: StickyUpstream.Group, Kind: StickyUpstream.KindName })
            {
                _found.Error(Reasons.RefNotPermitted, field,
                    $"{resource.Kind} of \"{resource.ApiGroup}\" cannot be a backend; {StickyUpstream.KindName} of {StickyUpstream.Group} can");
                return null;
            }

            var named = new ResourceRef(StickyUpstream.KindName, Namespace, resource.Name);
            _uses.Add(named);
            if (run.Resources.Upstreams.TryGetValue(named, out var upstream))
            {
                if (OwnershipPass.IsOurs(run, upstream)) return new(Namespace, resource.Name);

                _found.Error(Reasons.RefNotPermitted, $"{field}.name", $"{named} is for the class {upstream.Spec.IngressClassName}");
                return null;
            }

            // One that cannot be read may still serve as it last was.
            if (!run.Unreadable.Contains(named)) _found.Error(Reasons.UpstreamNotFound, $"{field}.name", $"there is no {named}");
            return new(Namespace, resource.Name);
        }

        private UpstreamName ToService(IngressServiceBackend backend, string field)
        {
            IntOrString port = backend.PortName.Length > 0 ? backend.PortName : backend.PortNumber;
            var named = new ResourceRef(Service.KindName, Namespace, backend.Name);
            _uses.Add(named);
            if (!run.Resources.Services.TryGetValue(named, out var service))
                _found.Error(Reasons.ServiceNotFound, $"{field}.name", $"there is no {named}");
            else if (service.Type != "ExternalName" && !ServicePorts.TryFind(service, port, out _, out var error))
                _found.Error(Reasons.PortNotFound, $"{field}.port", error);

            var made = new UpstreamName(Namespace, $"{backend.Name}:{port}");
            var upstream = new ResourceRef(StickyUpstream.KindName, Namespace, made.Name);
            _implicit.TryAdd(upstream, run.Previous.Upstreams.GetValueOrDefault(upstream)?.Written ?? Make(made, backend.Name, port));
            return made;
        }

        private static StickyUpstream Make(UpstreamName name, string service, IntOrString port) => new()
        {
            Metadata = new() { Namespace = name.Namespace, Name = name.Name },
            Spec = new() { Servers = [new() { Name = "service", Service = new() { Name = service, Port = port } }] },
        };
    }
}
