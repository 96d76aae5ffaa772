using System.Diagnostics.CodeAnalysis;
using System.Net;

namespace StickyIngress.Core.Upstreams;

/// <summary>One resolved address of an upstream as configured; what changes while serving is in <see cref="State"/>.</summary>
public sealed class Peer
{
    /// <summary>Position in its group, from 0.</summary>
    public required int Index { get; init; }

    /// <summary>What a client's binding names: the pod's UID or name, the route, or the address, as <c>sticky.identity</c> says.</summary>
    public required PeerId Id { get; init; }

    /// <summary>Printable address with port, as nginx prints it: <c>1.2.3.4:80</c>, <c>[::1]:80</c>, <c>unix:/path</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The server as written (nginx: text after <c>server</c>), for a Service's peer the same as <see cref="Name"/>; ketama hashes it.</summary>
    public required string Server { get; init; }

    /// <summary>nginx's identity: the route where there is one, else (null is set) the lower-case hexadecimal MD5 of <see cref="Name"/>.</summary>
    [AllowNull]
    public string Sid { get => field ?? State.AddressSid; init; }

    /// <summary>What metrics and the admin API call it: the pod's name, else the address.</summary>
    public required string Label { get; init; }

    /// <summary>Where to connect: an <see cref="IPEndPoint"/> or a unix socket.</summary>
    public required EndPoint EndPoint { get; init; }

    public required PeerState State { get; init; }

    public int Weight { get; init; } = 1;

    /// <summary>Requests at a time at most; 0: no limit.</summary>
    public int MaxConns { get; init; }

    /// <summary>Failures that suspend it; 0: failures do not.</summary>
    public int MaxFails { get; init; } = 1;

    /// <summary>Whole seconds.</summary>
    public long FailTimeoutSeconds { get; init; } = 10;

    /// <summary>Milliseconds in which its weight grows after it came back; 0: at once.</summary>
    public long SlowStartMilliseconds { get; init; }

    /// <summary>What of the above and below was set at run time.</summary>
    public PeerOverride Override { get; init; } = PeerOverride.None;

    /// <summary>Never used.</summary>
    public bool Down { get; init; }

    /// <summary>Used only by clients already bound to it.</summary>
    public bool Draining { get; init; }

    public bool Backup { get; init; }

    /// <summary>How to speak to it where the route does not say: from the Service port's appProtocol.</summary>
    public PeerProtocol Protocol { get; init; }

    public override string ToString() => Name;
}

/// <summary>Stable name of a peer within its upstream.</summary>
public readonly record struct PeerId(string Value)
{
    public override string ToString() => Value;
}

/// <summary>What is spoken to a peer.</summary>
public enum PeerProtocol
{
    Http,
    Https,
    H2c,
    H2,
}
