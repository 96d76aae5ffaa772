using System.Diagnostics.CodeAnalysis;
using StackExchange.Redis;

namespace StickyIngress.Sync;

/// <summary>
/// Reads where the store is: a URL (<c>redis://</c> or <c>valkey://</c>, with a second s for TLS), or the client library's own
/// list of addresses and options, which also says Sentinel (<c>serviceName</c>) and names the nodes of a Cluster.
/// </summary>
public static class StoreAddress
{
    private const int Port = 6379;

    public static bool TryParse(string text, [NotNullWhen(true)] out ConfigurationOptions? configuration, [NotNullWhen(false)] out string? error)
    {
        (configuration, error) = (null, text.Length == 0 ? "it names no address" : null);
        if (error is not null) return false;

        try
        {
            configuration = text.Contains("://", StringComparison.Ordinal) ? OfUrl(text) : ConfigurationOptions.Parse(text, ignoreUnknown: false);
        }
        catch (Exception e) when (e is ArgumentException or FormatException)
        {
            error = e.Message;
        }

        if (configuration is { EndPoints.Count: 0 }) (configuration, error) = (null, "it names no address");
        return configuration is not null;
    }

    private static ConfigurationOptions OfUrl(string text)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Host.Length == 0) throw new FormatException("it is no URL");

        var tls = url.Scheme switch
        {
            "redis" or "valkey" => false,
            "rediss" or "valkeys" => true,
            _ => throw new FormatException($"its scheme is {url.Scheme}; it must be redis, rediss, valkey or valkeys"),
        };
        var configuration = new ConfigurationOptions { Ssl = tls, SslHost = tls ? url.IdnHost : null };
        configuration.EndPoints.Add(url.IdnHost.Trim('[', ']'), url.Port < 0 ? Port : url.Port);

        var colon = url.UserInfo.IndexOf(':');
        if (colon >= 0) configuration.Password = Uri.UnescapeDataString(url.UserInfo[(colon + 1)..]);
        if (url.UserInfo.Length > 0 && colon != 0) configuration.User = Uri.UnescapeDataString(colon < 0 ? url.UserInfo : url.UserInfo[..colon]);

        var database = url.AbsolutePath.Trim('/');
        if (database.Length > 0)
        {
            if (!int.TryParse(database, out var number) || number < 0) throw new FormatException($"its database is \"{database}\"; it must be a number");
            configuration.DefaultDatabase = number;
        }

        if (url.Query.Length > 0) throw new FormatException($"\"{url.Query}\" is not understood; options go into the other form, host:port,option=value");
        return configuration;
    }
}
