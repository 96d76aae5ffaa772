using System.Net;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Compilation;

/// <summary>An address that a server came to, before it is a peer.</summary>
/// <param name="Written">nginx's text after <c>server</c>; null: the printable address, as for a Service's endpoint.</param>
/// <param name="PodName">Empty where it is no pod.</param>
/// <param name="Terminating">Its endpoint is going away and still serves.</param>
internal sealed record PeerCandidate(
    ServerPlan Server, EndPoint EndPoint, string? Written, string PodName, string PodUid, bool Terminating, PeerProtocol Protocol)
{
    public int Weight { get; init; } = Server.Spec.Weight;

    public bool Backup { get; init; } = Server.Spec.Backup;

    public string Name { get => field ??= PeerNames.Format(EndPoint, Written); init; }
}
