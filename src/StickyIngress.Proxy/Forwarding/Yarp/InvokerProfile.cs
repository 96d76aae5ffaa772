using System.IO.Hashing;
using System.Net;
using System.Text;
using StickyIngress.Core;
using StickyIngress.Core.Upstreams;
using Yarp.ReverseProxy.Forwarder;

namespace StickyIngress.Proxy.Forwarding.Yarp;

/// <summary>One SocketsHttpHandler and how it is used: shared by all peers that are spoken to in the same way.</summary>
public sealed class InvokerProfile : IDisposable
{
    private readonly InvokerProfileKey _key;

    internal InvokerProfile(InvokerProfileKey key, ForwarderRequestConfig config, Clock clock)
    {
        Config = config;
        _key = key;
        var handler = CreateHandler(key, clock);
        Invoker = new(key.IsHttp2 ? new PromptHandler(handler) : handler, disposeHandler: true);
    }

    public HttpMessageInvoker Invoker { get; }

    public ForwarderRequestConfig Config { get; }

    /// <summary>Requests share connections, and what goes over them.</summary>
    public bool IsHttp2 => _key.IsHttp2;

    /// <summary>
    /// Authority of the request's address. The pool of connections is chosen by it, so it stands for everything that
    /// a connection depends on: the address and, for TLS, the name that was verified.
    /// </summary>
    internal string Address(Peer peer, ProxyRequest request, string host, out string serverName)
    {
        serverName = "";
        if (!_key.IsTls && peer.EndPoint is IPEndPoint) return peer.Name;

        if (_key.IsTls) serverName = PeerTlsClient.ServerName(_key.Tls!, request, host);
        var hash = XxHash128.HashToUInt128(Encoding.UTF8.GetBytes($"{peer.Name}\0{serverName}"));
        return $"p{hash:x32}";
    }

    public void Dispose() => Invoker.Dispose();

    private static SocketsHttpHandler CreateHandler(InvokerProfileKey key, Clock clock) => new()
    {
        UseProxy = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        UseCookies = false,
        ActivityHeadersPropagator = null,
        EnableMultipleHttp2Connections = true,
        ConnectTimeout = Timeout.InfiniteTimeSpan,
        PooledConnectionIdleTimeout = key.KeepaliveTimeout,
        PooledConnectionLifetime = key.KeepaliveTime,
        MaxResponseHeadersLength = 64,
        MaxResponseDrainSize = 64 * 1024,
        ResponseDrainTimeout = TimeSpan.FromSeconds(1),
        RequestHeaderEncodingSelector = key.IsHttp2 ? OnceHeaders.Encoding : static (_, _) => Encoding.Latin1,
        ResponseHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        ConnectCallback = new PeerConnector(key, clock).ConnectAsync,
    };
}

/// <summary>All that a connection depends on beside its address.</summary>
internal sealed record InvokerProfileKey(
    PeerProtocol Protocol, TimeSpan ConnectTimeout, TimeSpan SendTimeout, TimeSpan KeepaliveTime, TimeSpan KeepaliveTimeout, PeerTls? Tls)
{
    public bool IsTls => Protocol is PeerProtocol.Https or PeerProtocol.H2;

    public bool IsHttp2 => Protocol is PeerProtocol.H2 or PeerProtocol.H2c;
}
