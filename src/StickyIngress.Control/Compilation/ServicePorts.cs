using System.Diagnostics.CodeAnalysis;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Compilation;

/// <summary>Which port of a Service is meant, and what is spoken there.</summary>
internal static class ServicePorts
{
    private const string Tcp = "TCP";
    private const int DefaultPort = 80;

    /// <summary>The port by name or number; null: the only one. False with a message that lists what there is.</summary>
    public static bool TryFind(
        Service service, IntOrString? wanted, [NotNullWhen(true)] out ServicePort? port, [NotNullWhen(false)] out string? error)
    {
        (port, error) = (null, null);
        var ports = service.Ports.Where(known => known.Protocol == Tcp).ToArray();
        var fitting = wanted switch
        {
            null => ports,
            { Name: { } name } => [.. ports.Where(known => known.Name == name)],
            { Number: var number } => [.. ports.Where(known => known.Port == number)],
        };
        if (fitting is [var only, ..] && (wanted is not null || fitting.Length == 1))
        {
            port = only;
            return true;
        }

        var there = ports.Length == 0 ? "it has no TCP port" : $"it has {string.Join(", ", ports.Select(Describe))}";
        error = wanted is null ? $"{service.Ref} must have one port to be used without naming it; {there}" : $"{service.Ref} has no TCP port {wanted}; {there}";
        return false;
    }

    /// <summary>The port of an ExternalName Service, which need not list any: a number then stands for itself.</summary>
    public static (ServicePort Port, string? Error) ExternalPort(Service service, IntOrString? wanted)
    {
        if (service.Ports.Count == 0 && wanted?.Name is null)
            return (new("", wanted?.Number ?? DefaultPort, "", Tcp, null), null);

        return TryFind(service, wanted, out var port, out var error) ? (port, null) : (new("", 0, "", Tcp, null), error);
    }

    /// <summary>What an appProtocol stands for; null: nothing that can be spoken here.</summary>
    public static PeerProtocol? Protocol(string? appProtocol) => appProtocol switch
    {
        null or "" or "http" or "kubernetes.io/ws" or "ws" => PeerProtocol.Http,
        "https" or "kubernetes.io/wss" or "wss" => PeerProtocol.Https,
        "kubernetes.io/h2c" or "h2c" or "grpc" => PeerProtocol.H2c,
        "h2" or "http2" or "grpcs" => PeerProtocol.H2,
        _ => null,
    };

    private static string Describe(ServicePort port) => port.Name.Length > 0 ? $"{port.Name} ({port.Port})" : $"{port.Port}";
}
