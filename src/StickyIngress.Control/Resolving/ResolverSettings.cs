using System.Collections.Immutable;
using System.Net;

namespace StickyIngress.Control.Resolving;

/// <summary>Whom to ask for names and how long answers hold; nginx resolver. Equal by value.</summary>
public sealed record ResolverSettings
{
    /// <summary>Asked in turn; at least one.</summary>
    public required ImmutableArray<IPEndPoint> Servers { get; init; }

    /// <summary>How long an answer holds; null: its TTL.</summary>
    public TimeSpan? Valid { get; init; }

    public bool Ipv4 { get; init; } = true;

    public bool Ipv6 { get; init; } = true;

    /// <summary>How long to wait for an answer, all servers and repetitions together; 0: for ever.</summary>
    public TimeSpan Timeout { get; init; } = Api.Defaults.ResolverTimeout;

    /// <summary>Under which its statistics are counted; null: they are not.</summary>
    public string? StatusZone { get; init; }

    public bool Equals(ResolverSettings? other) => other is not null
        && Servers.SequenceEqual(other.Servers)
        && (Valid, Ipv4, Ipv6, Timeout, StatusZone) == (other.Valid, other.Ipv4, other.Ipv6, other.Timeout, other.StatusZone);

    public override int GetHashCode() => HashCode.Combine(Servers[0], Servers.Length, Valid, Ipv4, Ipv6, Timeout, StatusZone);

    public override string ToString()
    {
        var families = (Ipv4, Ipv6) switch
        {
            (true, true) => "",
            (true, false) => " ipv6=off",
            _ => " ipv4=off",
        };
        var valid = Valid is { } time ? $" valid={time.TotalSeconds}s" : "";
        return $"{string.Join(' ', Servers)}{valid}{families} timeout={Timeout.TotalMilliseconds}ms status_zone={StatusZone}";
    }
}
