namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>All that must be equal for a connection to serve another request.</summary>
/// <param name="Address">As the peer's name prints it.</param>
/// <param name="Tls">Null: none.</param>
/// <param name="ServerName">The name that was verified; empty without TLS.</param>
internal readonly record struct ConnectionKey(string Address, PeerTlsClient? Tls, string ServerName)
{
    /// <summary>Cheaper than that of whole texts. Addresses are told apart by their ends, and nobody outside chooses them.</summary>
    public override int GetHashCode()
    {
        var end = Address.AsSpan(Math.Max(0, Address.Length - 8));
        var hash = Address.Length;
        foreach (var character in end) hash = (hash * 31) + character;
        return hash;
    }
}
