using StackExchange.Redis;

namespace StickyIngress.Sync;

/// <summary>Which store replicas share through, and how it is reached.</summary>
public sealed record SyncOptions
{
    /// <summary>The store: what <see cref="StoreAddress"/> reads.</summary>
    public required string Store { get; init; }

    /// <summary>A file with the password, read again when it changes; null: the store's address has it, or there is none.</summary>
    public string? PasswordFile { get; init; }

    /// <summary>A file with the certificates, in PEM, that the store's certificate must lead to; null: those of the system.</summary>
    public string? CaFile { get; init; }

    /// <summary>What every key and channel begins with.</summary>
    public string Prefix { get; init; } = "sticky-ingress";

    /// <summary>What the password file says now.</summary>
    internal string ReadPassword() => File.ReadAllText(PasswordFile!).Trim();

    /// <summary>What to connect with now: the files are read anew. Throws <see cref="IOException"/> where one cannot be.</summary>
    internal ConfigurationOptions ToConfiguration()
    {
        if (!StoreAddress.TryParse(Store, out var configuration, out var error)) throw new FormatException(error);

        // We never wait for a connection: what cannot be sent now fails now, and is written again later.
        configuration.AbortOnConnectFail = false;
        configuration.BacklogPolicy = BacklogPolicy.FailFast;
        configuration.ConnectTimeout = 2000;
        configuration.AsyncTimeout = 2000;
        configuration.KeepAlive = 5;
        configuration.ConfigCheckSeconds = 2; // who is the primary now
        configuration.AllowAdmin = true; // to ask for CLUSTER NODES, which the library asks for itself anyway
        (configuration.TieBreaker, configuration.ConfigurationChannel) = ("", ""); // nothing outside our prefix
        configuration.ClientName = "sticky-ingress";
        configuration.ReconnectRetryPolicy = new LinearRetry(500);
        if (PasswordFile is not null) configuration.Password = ReadPassword();
        if (CaFile is { } ca) configuration.TrustIssuer(ca);
        return configuration;
    }
}
