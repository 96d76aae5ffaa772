namespace StickyIngress.Core.Upstreams;

/// <summary>How the peers of an upstream are checked; nothing is left to default here.</summary>
public sealed record HealthCheckSettings
{
    /// <summary>What the user wrote. Checks whose sources are equal are one check, whatever else of the upstream changed.</summary>
    public required object Source { get; init; }

    /// <summary>Begins with a slash; may have a query.</summary>
    public required string Path { get; init; }

    /// <summary>0: the peer's own.</summary>
    public required int Port { get; init; }

    /// <summary>Host header; null: the peer's address.</summary>
    public required string? Host { get; init; }

    /// <summary>Protocol and TLS are those of requests.</summary>
    public required ProxySettings Proxy { get; init; }

    /// <summary>From the beginning of a check to that of the next.</summary>
    public required TimeSpan Interval { get; init; }

    /// <summary>Each check is delayed by a random part of it.</summary>
    public required TimeSpan Jitter { get; init; }

    public required TimeSpan Timeout { get; init; }

    /// <summary>Failures in a row that make a peer unhealthy.</summary>
    public required int Fails { get; init; }

    /// <summary>Passes in a row that make it healthy again.</summary>
    public required int Passes { get; init; }

    /// <summary>A new peer, and unless <see cref="Persistent"/> any peer when the check changes, is not used before its first pass.</summary>
    public required bool Mandatory { get; init; }

    /// <summary>A peer that serves goes on serving when the check changes.</summary>
    public required bool Persistent { get; init; }

    public required HealthMatch Match { get; init; }
}
