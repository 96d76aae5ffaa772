using StickyIngress.Api;

namespace StickyIngress.Control.Resolving;

/// <summary>A name that servers follow in DNS, and whom to ask. Equal ones share one answer, whatever upstreams they are of.</summary>
/// <param name="Host">Lower case, without a dot at the end.</param>
/// <param name="Service">nginx service=; null: addresses are asked for, not SRV records.</param>
public sealed record NameQuery(string Host, string? Service, ResolverSettings Resolver)
{
    private const string DnsKind = "Dns";

    /// <summary>The name of the question: <c>_http._tcp.HOST</c> for the service <c>http</c>, <c>a.b.HOST</c> for <c>a.b</c>.</summary>
    public string QuestionName => Service switch
    {
        null => Host,
        _ when Service.Contains('.', StringComparison.Ordinal) => $"{Service}.{Host}",
        _ => $"_{Service}._tcp.{Host}",
    };

    /// <summary>It among the things that an upstream depends on.</summary>
    internal ResourceRef Ref => new(DnsKind, "", $"{QuestionName} {(Service is null ? "address" : "srv")} {Resolver}");
}
