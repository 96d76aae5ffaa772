using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace StickyIngress.Core.Variables;

/// <summary>One variable as it stands in a text, resolved when the text was parsed.</summary>
/// <param name="Kind">Which one.</param>
/// <param name="Name">
/// What follows the prefix of a named variable: for a header in the form that goes over the wire (<c>x-request-id</c>), for a
/// capture the group's name, else as written; empty for the others.
/// </param>
/// <param name="Map">The definition, for <see cref="VariableKind.Map"/> alone.</param>
public sealed record Variable(VariableKind Kind, string Name = "", MapVariable? Map = null)
{
    private static readonly FrozenDictionary<string, VariableKind> Plain = new Dictionary<string, VariableKind>
    {
        ["host"] = VariableKind.Host,
        ["uri"] = VariableKind.Uri,
        ["request_uri"] = VariableKind.RequestUri,
        ["args"] = VariableKind.Args,
        ["remote_addr"] = VariableKind.RemoteAddr,
        ["remote_port"] = VariableKind.RemotePort,
        ["scheme"] = VariableKind.Scheme,
        ["server_port"] = VariableKind.ServerPort,
        ["request_method"] = VariableKind.RequestMethod,
        ["request_id"] = VariableKind.RequestId,
        ["status"] = VariableKind.Status,
        ["body_bytes_sent"] = VariableKind.BodyBytesSent,
        ["request_time"] = VariableKind.RequestTime,
        ["msec"] = VariableKind.Msec,
        ["upstream_addr"] = VariableKind.UpstreamAddr,
        ["upstream_bytes_received"] = VariableKind.UpstreamBytesReceived,
        ["upstream_bytes_sent"] = VariableKind.UpstreamBytesSent,
        ["upstream_connect_time"] = VariableKind.UpstreamConnectTime,
        ["upstream_header_time"] = VariableKind.UpstreamHeaderTime,
        ["upstream_response_time"] = VariableKind.UpstreamResponseTime,
        ["upstream_response_length"] = VariableKind.UpstreamResponseLength,
        ["upstream_status"] = VariableKind.UpstreamStatus,
        ["upstream_queue_time"] = VariableKind.UpstreamQueueTime,
        ["upstream_last_server_name"] = VariableKind.UpstreamLastServerName,
        ["upstream_cache_status"] = VariableKind.UpstreamCacheStatus,
        ["sticky_outcome"] = VariableKind.StickyOutcome,
        ["sticky_reason"] = VariableKind.StickyReason,
        ["peer"] = VariableKind.Peer,
    }.ToFrozenDictionary();

    /// <summary>Finds a built-in variable by its name without the <c>$</c>.</summary>
    public static bool TryFind(string name, [NotNullWhen(true)] out Variable? variable)
    {
        variable = name switch
        {
            _ when Plain.TryGetValue(name, out var kind) => new(kind),
            _ when After(name, "arg_") is { } arg => new(VariableKind.ArgNamed, arg),
            _ when After(name, "cookie_") is { } cookie => new(VariableKind.CookieNamed, cookie),
            _ when After(name, "http_") is { } header => new(VariableKind.HttpNamed, HeaderName(header)),
            _ when After(name, "upstream_cookie_") is { } cookie => new(VariableKind.UpstreamCookieNamed, cookie),
            _ when After(name, "upstream_http_") is { } header => new(VariableKind.UpstreamHttpNamed, HeaderName(header)),
            _ when After(name, "upstream_trailer_") is { } trailer => new(VariableKind.UpstreamTrailerNamed, HeaderName(trailer)),
            _ => null,
        };
        return variable is not null;
    }

    private static string? After(string name, string prefix) =>
        name.Length > prefix.Length && name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : null;

    private static string HeaderName(string name) => name.ToLowerInvariant().Replace('_', '-');
}
