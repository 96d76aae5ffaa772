using System.Collections.Frozen;
using System.Collections.Immutable;

namespace StickyIngress.Core.Routing;

/// <summary>Which certificate a client gets for the name that it asks for (SNI): that of the exact name, then of a wildcard for its first label, then the default.</summary>
public sealed class CertificateTable
{
    private readonly FrozenDictionary<string, ServerCertificate> _exact;
    private readonly FrozenDictionary<string, ServerCertificate> _wildcard;

    /// <param name="exact">By host name in lower case without a trailing dot.</param>
    /// <param name="wildcard">By what follows <c>*.</c>, likewise.</param>
    /// <param name="fallback">For every other name, and for clients that name none; null: their handshake fails.</param>
    public CertificateTable(
        IEnumerable<KeyValuePair<string, ServerCertificate>> exact,
        IEnumerable<KeyValuePair<string, ServerCertificate>> wildcard,
        ServerCertificate? fallback)
    {
        _exact = exact.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        _wildcard = wildcard.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);
        Default = fallback;
        All = [.. _exact.Values.Concat(_wildcard.Values).Append(fallback).OfType<ServerCertificate>().Distinct()
            .OrderBy(certificate => certificate.Namespace, StringComparer.Ordinal)
            .ThenBy(certificate => certificate.SecretName, StringComparer.Ordinal)];
    }

    public static CertificateTable Empty { get; } = new([], [], null);

    public ServerCertificate? Default { get; }

    /// <summary>Each certificate once, by namespace and Secret.</summary>
    public ImmutableArray<ServerCertificate> All { get; }

    public bool IsEmpty => All.IsEmpty;

    /// <summary>The certificate for that name; null: there is none, not even a default.</summary>
    public ServerCertificate? Find(string? serverName)
    {
        if (string.IsNullOrEmpty(serverName)) return Default;

        var name = serverName.AsSpan().TrimEnd('.');
        if (_exact.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var exact)) return exact;

        var dot = name.IndexOf('.');
        if (dot > 0 && _wildcard.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name[(dot + 1)..], out var wildcard)) return wildcard;

        return Default;
    }

    /// <summary>The names that have a certificate of their own, with <c>*.</c> where it is a wildcard, ordered ordinally.</summary>
    public IEnumerable<(string Host, ServerCertificate Certificate)> Hosts =>
        _exact.Select(entry => (entry.Key, entry.Value))
            .Concat(_wildcard.Select(entry => ("*." + entry.Key, entry.Value)))
            .OrderBy(entry => entry.Item1, StringComparer.Ordinal);
}

/// <summary>A certificate chain and its key, both PEM and known to belong together. A class and no record, so that nothing prints the key.</summary>
public sealed class ServerCertificate(string @namespace, string secretName, string certificatePem, string keyPem, DateTimeOffset notAfter)
{
    public string Namespace { get; } = @namespace;

    public string SecretName { get; } = secretName;

    /// <summary>The server's certificate first, then those that lead to its authority.</summary>
    public string CertificatePem { get; } = certificatePem;

    public string KeyPem { get; } = keyPem;

    /// <summary>When the certificate ends.</summary>
    public DateTimeOffset NotAfter { get; } = notAfter;

    public override string ToString() => $"{Namespace}/{SecretName}";
}
