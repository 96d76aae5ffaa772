using System.Net.Http.Headers;

namespace StickyIngress.Proxy.Forwarding.Yarp;

/// <summary>
/// Bytes of an HTTP/2 message's header section: method and target, or status, and each field's name and value, before compression. What goes over
/// the wire is shared with other requests: the frames' connection, and the table by which fields are compressed.
/// </summary>
internal static class FieldBytes
{
    private const int StatusDigits = 3;

    public static long Of(HttpRequestMessage message, string target) =>
        message.Method.Method.Length + target.Length + Of(message.Headers) + Of(message.Content?.Headers);

    public static long Of(HttpResponseMessage message) => StatusDigits + Of(message.Headers) + Of(message.Content.Headers);

    public static long Of(HttpHeaders? headers)
    {
        var bytes = 0L;
        if (headers is null) return bytes;

        foreach (var (name, values) in headers.NonValidated)
        {
            foreach (var value in values) bytes += name.Length + value.Length;
        }

        return bytes;
    }
}
