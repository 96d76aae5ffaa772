using System.Buffers;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using StickyIngress.Core.Cookies;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Clients.Http1;

namespace StickyIngress.Proxy.Forwarding.Http1;

/// <summary>Writes request line and headers for the peer, by the rules that all forwarders share.</summary>
internal static class RequestHead
{
    /// <summary>Printable, and all bytes above ASCII; anything else could end the request line.</summary>
    private static readonly SearchValues<char> TargetText =
        SearchValues.Create([.. Enumerable.Range(0x21, 0xff - 0x20).Where(code => code != 0x7f).Select(code => (char)code)]);

    private static readonly ConditionalWeakTable<ProxySettings, HashSet<string>> SetNames = [];

    /// <param name="host">The Host header; not empty.</param>
    /// <param name="upgrade">The protocol that the client wants to change to; null: none.</param>
    public static void Write(SendBuffer output, ProxyRequest request, string host, string? upgrade)
    {
        var incoming = request.Context.Request;
        var sink = new Sink(output, NamesSet(request.Settings));
        output.Write(incoming.Method);
        output.Write(" "u8);
        WriteTarget(output, request.Target);
        output.Write(" HTTP/1.1\r\n"u8);

        sink.Add(HeaderNames.Host, HeaderText.Safe(host));
        ForwardedHeaders.Write(request, sink, static (to, name, value) => to.Add(name, HeaderText.Safe(value)));
        if (upgrade is not null)
        {
            sink.Add(HeaderNames.Connection, HeaderNames.Upgrade);
            sink.Add(HeaderNames.Upgrade, upgrade);
        }

        WriteFraming(output, request);
        if (request.Context.Request.Headers is RequestFields { AreAsSent: true } sent) WriteAsSent(output, sink, sent.Request, request.Settings);
        else WriteIncoming(sink, request);
        foreach (var (name, template) in request.Settings.SetHeaders)
        {
            if (IsFraming(name)) continue;
            var value = template.Evaluate(request);
            if (value.Length > 0) output.Header(name, HeaderText.Safe(value));
        }

        output.Write("\r\n"u8);
    }

    /// <summary>Trailers of the request, which came after its last chunk, and the end of the chunks.</summary>
    public static void WriteLastChunk(SendBuffer output, ProxyRequest request)
    {
        output.Write("0\r\n"u8);
        if (request.Context.Features.Get<IHttpRequestTrailersFeature>() is { Available: true, Trailers: { Count: > 0 } trailers })
        {
            foreach (var (name, values) in trailers)
            {
                if (!HeaderRules.IsPassedInTrailer(name) || !HeaderRules.IsWhatItSays(name, request.Settings)) continue;
                foreach (var value in values) output.Header(name, HeaderText.Safe(value ?? ""));
            }
        }

        output.Write("\r\n"u8);
    }

    /// <summary>How the body is delimited is ours to say: a header from the settings cannot make two readers disagree on it.</summary>
    private static bool IsFraming(string name) =>
        name.Equals(HeaderNames.ContentLength, StringComparison.OrdinalIgnoreCase) || name.Equals(HeaderNames.TransferEncoding, StringComparison.OrdinalIgnoreCase);

    private static void WriteFraming(SendBuffer output, ProxyRequest request)
    {
        if (request.Context.Request.ContentLength is { } length)
        {
            output.Write("Content-Length: "u8);
            output.Number(length);
            output.Write("\r\n"u8);
        }
        else if (request.Body.HasBody)
        {
            output.Write("Transfer-Encoding: chunked\r\n"u8);
        }
        else if (MayExpectBody(request.Context.Request.Method))
        {
            // Some servers refuse a request with such a method that tells no length, 411.
            output.Write("Content-Length: 0\r\n"u8);
        }
    }

    private static bool MayExpectBody(string method) =>
        HttpMethods.IsPost(method) || HttpMethods.IsPut(method) || HttpMethods.IsPatch(method);

    private static void WriteIncoming(in Sink sink, ProxyRequest request)
    {
        var headers = request.Context.Request.Headers;
        var hidden = request.Settings.HiddenCookies;
        foreach (var (name, values) in headers)
        {
            if (IsFraming(name) || !HeaderRules.IsPassedToPeer(name, headers, request.Settings)) continue;

            var isCookie = !hidden.IsEmpty && name.Equals(HeaderNames.Cookie, StringComparison.OrdinalIgnoreCase);
            foreach (var value in values)
            {
                if (value is null) continue;
                if (!isCookie) sink.Add(name, value);
                else if (CookieHeader.Without(value, hidden.AsSpan()) is { } left) sink.Add(name, left);
            }
        }
    }

    /// <summary>The same, byte for byte, of a request that names no headers in its Connection header.</summary>
    private static void WriteAsSent(SendBuffer output, in Sink sink, PlainRequest sent, ProxySettings settings)
    {
        var hidden = settings.HiddenCookies;
        for (var i = 0; i < sent.Count; i++)
        {
            ref readonly var field = ref sent.Fields[i];
            if (field.Use == NameUse.Withheld || sink.Replaces(field.Name)) continue;
            if (field.Use == NameUse.Doubtful && !HeaderRules.IsWhatItSays(field.Name, settings)) continue;

            if (hidden.IsEmpty || !field.Name.Equals(HeaderNames.Cookie, StringComparison.OrdinalIgnoreCase))
                output.Header(sent.Name(field), sent.Value(field));
            else if (CookieHeader.Without(sent.ValueText(i), hidden.AsSpan()) is { } left)
                output.Header(field.Name, left);
        }
    }

    private static void WriteTarget(SendBuffer output, string target)
    {
        if (!target.AsSpan().ContainsAnyExceptInRange('!', '~') || target.AsSpan().IndexOfAnyExcept(TargetText) < 0)
        {
            output.Write(target);
            return;
        }

        foreach (var character in target)
            output.Write(TargetText.Contains(character) ? character.ToString() : Uri.HexEscape((char)(character & 0xff)));
    }

    /// <summary>Headers that the route sets or removes; null: none.</summary>
    private static HashSet<string>? NamesSet(ProxySettings settings) => settings.SetHeaders.IsEmpty
        ? null
        : SetNames.GetValue(settings, static known => known.SetHeaders.Select(header => header.Name).ToHashSet(StringComparer.OrdinalIgnoreCase));

    private readonly struct Sink(SendBuffer output, HashSet<string>? replaced)
    {
        public void Add(string name, string value)
        {
            if (!Replaces(name)) output.Header(name, value);
        }

        public bool Replaces(string name) => replaced is not null && replaced.Contains(name);
    }
}
