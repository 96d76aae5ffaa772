using System.Net.Http.Headers;
using Microsoft.Net.Http.Headers;

namespace StickyIngress.Proxy.Forwarding.Yarp;

internal sealed class YarpResponse(HttpResponseMessage message) : IPeerResponse
{
    public IEnumerable<string> SetCookies =>
        message.Headers.NonValidated.TryGetValues(HeaderNames.SetCookie, out var values) ? values : [];

    /// <summary>So far; see <see cref="FieldBytes"/>.</summary>
    public long TrailerBytes => FieldBytes.Of(message.TrailingHeaders);

    public string? Header(string name) => Find(message.Headers, name) ?? Find(message.Content.Headers, name);

    public string? Trailer(string name) => Find(message.TrailingHeaders, name);

    private static string? Find(HttpHeaders headers, string name) =>
        headers.NonValidated.TryGetValues(name, out var values) ? string.Join(", ", values) : null;
}
