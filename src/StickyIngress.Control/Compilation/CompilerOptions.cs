using System.Collections.Immutable;
using System.Net;

namespace StickyIngress.Control.Compilation;

/// <summary>What this installation serves.</summary>
public sealed record CompilerOptions
{
    public const string Controller = "stickyingress.io/controller";

    /// <summary>Name of the class that it serves (<c>--ingress-class</c>).</summary>
    public string IngressClass { get; init; } = "sticky";

    /// <summary>An Ingress without a class is ours though no IngressClass says so: there is nobody else, since there is no cluster.</summary>
    public bool Standalone { get; init; }

    /// <summary>
    /// Only some namespaces are read, as Roles allow. IngressClasses are the whole cluster's and may then be hidden from us.
    /// </summary>
    public bool Namespaced { get; init; }

    /// <summary>Replicas share sessions where a resource says so (<c>--sync-store</c>).</summary>
    public bool HasSharedStore { get; init; }

    /// <summary>An Ingress that names our class is ours though no such IngressClass is to be seen.</summary>
    internal bool TrustsClassNames => Standalone || Namespaced;

    /// <summary>Who is asked for followed names where a resource does not say (<c>--resolver</c>); at least one.</summary>
    public ImmutableArray<IPEndPoint> NameServers { get; init; } = [new(IPAddress.Loopback, 53)];
}
