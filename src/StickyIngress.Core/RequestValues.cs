using System.Net;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core;

/// <summary>What affinity, hashing and templates may read of a request; the proxy says how.</summary>
public abstract class RequestValues
{
    /// <summary>
    /// The client's address after trusted proxies were taken into account; null for a client on a unix socket.
    /// </summary>
    public abstract IPAddress? ClientAddress { get; }

    /// <summary>Whether the client's connection is https, as far as we believe what we are told.</summary>
    public abstract bool IsHttps { get; }

    /// <summary>
    /// The first cookie with that name (in any case), undecoded, as nginx finds it: the Cookie headers are split at
    /// <c>;</c> and spaces around <c>=</c> are skipped. False where the request has none.
    /// </summary>
    public abstract bool TryGetCookie(string name, out ReadOnlySpan<char> value);

    /// <summary>The variable's value; empty where it has none.</summary>
    public string Evaluate(Variable variable) => Find(variable) ?? "";

    /// <summary>The variable's value; null where it has none.</summary>
    public string? Find(Variable variable) => variable.Map is { } map ? map.Evaluate(this) : Read(variable);

    /// <summary>
    /// The value of a built-in variable; null where it has none. Those of the response (<c>$upstream_cookie_NAME</c>,
    /// <c>$upstream_http_NAME</c>) have one from when its header has arrived until the next try begins.
    /// </summary>
    protected abstract string? Read(Variable variable);
}
