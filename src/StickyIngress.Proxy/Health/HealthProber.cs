using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Forwarding;

namespace StickyIngress.Proxy.Health;

/// <summary>Makes one check: a request on a connection of its own, in the upstream's protocol.</summary>
public sealed class HealthProber(TimeProvider time)
{
    private const string UserAgent = "sticky-ingress-health-check";

    private static readonly HttpRequestOptionsKey<ProbeTarget> Target = new("probe");

    /// <summary>Lives as long as the settings do; by protocol.</summary>
    private readonly ConditionalWeakTable<HealthCheckSettings, HttpMessageInvoker?[]> _invokers = [];

    /// <summary>Why the peer did not pass, in a few words; null: it passed.</summary>
    public async Task<string?> ProbeAsync(Peer peer, HealthCheckSettings check, CancellationToken stop)
    {
        using var limit = new CancellationTokenSource(check.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, stop);
        try
        {
            return await AskAsync(peer, check, either.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return $"no answer within {check.Timeout.TotalSeconds} s";
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Whatever it is, it is not a healthy answer.
            return e.GetBaseException().Message;
        }
    }

    private async Task<string?> AskAsync(Peer peer, HealthCheckSettings check, CancellationToken cancellationToken)
    {
        var protocol = check.Proxy.Protocol ?? peer.Protocol;
        using var request = CreateRequest(peer, check, protocol);
        using var response = await InvokerFor(check, protocol).SendAsync(request, cancellationToken);
        var objection = check.Match.Objection((int)response.StatusCode, name => Values(response, name));
        if (objection is not null || check.Match.Body is not { } body) return objection;

        return body.Holds(await ReadAsync(response, cancellationToken)) ? null : "the body does not match";
    }

    private static HttpRequestMessage CreateRequest(Peer peer, HealthCheckSettings check, PeerProtocol protocol)
    {
        var endPoint = peer.EndPoint is IPEndPoint ip && check.Port > 0 ? new IPEndPoint(ip.Address, check.Port) : peer.EndPoint;
        var name = endPoint is IPEndPoint ? PeerNames.Format(endPoint) : "localhost";
        var host = HeaderText.Safe(check.Host ?? name);
        var http2 = protocol is PeerProtocol.H2 or PeerProtocol.H2c;
        var address = new Uri($"http://{name}{check.Path}", new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
        var request = new HttpRequestMessage(HttpMethod.Get, address)
        {
            Version = http2 ? HttpVersion.Version20 : HttpVersion.Version11,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TryAddWithoutValidation("Host", host);
        request.Headers.TryAddWithoutValidation("User-Agent", UserAgent);
        if (!http2) request.Headers.ConnectionClose = true;
        request.Options.Set(Target, new(endPoint, ServerName(check.Proxy.Tls, host)));
        return request;
    }

    /// <summary>As for requests; a name that depends on a request is not known here, so the host stands for it.</summary>
    private static string ServerName(PeerTls tls, string host)
    {
        var name = tls.ServerName is { IsLiteral: true, Text.Length: > 0 } ? tls.ServerName.Text : host;
        var colon = name.LastIndexOf(':');
        var bare = colon > name.LastIndexOf(']') ? name[..colon] : name;
        return bare.Trim('[', ']');
    }

    private static List<string> Values(HttpResponseMessage response, string name)
    {
        var found = new List<string>();
        if (response.Headers.NonValidated.TryGetValues(name, out var values)) found.AddRange(values);
        if (response.Content.Headers.NonValidated.TryGetValues(name, out values)) found.AddRange(values);
        return found;
    }

    private static async Task<string> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var text = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (text.Length < BodyMatch.Limit)
        {
            var wanted = (int)Math.Min(buffer.Length, BodyMatch.Limit - text.Length);
            var read = await body.ReadAsync(buffer.AsMemory(0, wanted), cancellationToken);
            if (read == 0) break;

            text.Write(buffer, 0, read);
        }

        return Encoding.Latin1.GetString(text.GetBuffer(), 0, (int)text.Length);
    }

    private HttpMessageInvoker InvokerFor(HealthCheckSettings check, PeerProtocol protocol)
    {
        var known = _invokers.GetValue(check, static _ => new HttpMessageInvoker?[Enum.GetValues<PeerProtocol>().Length]);
        lock (known) return known[(int)protocol] ??= CreateInvoker(check, protocol);
    }

    private static HttpMessageInvoker CreateInvoker(HealthCheckSettings check, PeerProtocol protocol)
    {
        var tls = protocol switch
        {
            PeerProtocol.Https => new PeerTlsClient(check.Proxy.Tls, SslApplicationProtocol.Http11),
            PeerProtocol.H2 => new PeerTlsClient(check.Proxy.Tls, SslApplicationProtocol.Http2),
            _ => null,
        };
        return new(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            ActivityHeadersPropagator = null,
            ConnectTimeout = Core.Timers.AtMost(check.Timeout),
            PooledConnectionLifetime = TimeSpan.Zero,
            MaxResponseHeadersLength = 64,
            RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
            ConnectCallback = (context, cancellationToken) => ConnectAsync(context, tls, cancellationToken),
        });
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, PeerTlsClient? tls, CancellationToken cancellationToken)
    {
        if (!context.InitialRequestMessage.Options.TryGetValue(Target, out var target))
            throw new InvalidOperationException("The request does not say which peer it is for.");

        var tcp = target.EndPoint is IPEndPoint;
        var socket = new Socket(target.EndPoint.AddressFamily, SocketType.Stream, tcp ? ProtocolType.Tcp : ProtocolType.Unspecified);
        Stream? stream = null;
        try
        {
            await socket.ConnectAsync(target.EndPoint, cancellationToken);
            stream = new NetworkStream(socket, ownsSocket: true);
            if (tls is null) return stream;

            var ssl = new SslStream(stream);
            stream = ssl;
            await ssl.AuthenticateAsClientAsync(tls.For(target.ServerName), cancellationToken);
            return ssl;
        }
        catch
        {
            if (stream is not null) await stream.DisposeAsync();
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Where a check's connection goes.</summary>
    private sealed record ProbeTarget(EndPoint EndPoint, string ServerName);
}
