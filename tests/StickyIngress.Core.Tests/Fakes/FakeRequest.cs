using System.Net;
using StickyIngress.Core.Cookies;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Tests.Fakes;

/// <summary>A request as a test wants it; cookies are read by the real parser.</summary>
internal sealed class FakeRequest : RequestValues
{
    public override IPAddress? ClientAddress { get; } = IPAddress.Loopback;

    public override bool IsHttps => Https;

    public bool Https { get; init; }

    public string Cookie { get; init; } = "";

    public Dictionary<string, string> Args { get; init; } = [];

    public Dictionary<string, string> Headers { get; init; } = [];

    public string Host { get; init; } = "";

    public IReadOnlyList<string> ResponseCookies { get; set; } = [];

    public Dictionary<string, string> ResponseHeaders { get; set; } = [];

    public FakeRequest()
    {
    }

    public FakeRequest(IPAddress client) => ClientAddress = client;

    public override bool TryGetCookie(string name, out ReadOnlySpan<char> value) => CookieHeader.TryFind(Cookie, name, out value);

    protected override string? Read(Variable variable) => variable.Kind switch
    {
        VariableKind.Host => Host,
        VariableKind.ArgNamed => Args.GetValueOrDefault(variable.Name),
        VariableKind.HttpNamed => Headers.GetValueOrDefault(variable.Name),
        VariableKind.CookieNamed => TryGetCookie(variable.Name, out var value) ? value.ToString() : null,
        VariableKind.UpstreamCookieNamed => ResponseCookie(variable.Name),
        VariableKind.UpstreamHttpNamed => ResponseHeaders.GetValueOrDefault(variable.Name),
        _ => throw new NotSupportedException($"A fake request has no {variable.Kind}."),
    };

    private string? ResponseCookie(string name)
    {
        foreach (var header in ResponseCookies)
            if (CookieHeader.TryReadSetCookie(header, name, out var value)) return value.ToString();

        return null;
    }
}
