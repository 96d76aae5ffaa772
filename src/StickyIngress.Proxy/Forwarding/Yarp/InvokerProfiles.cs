using System.Collections.Concurrent;
using System.Net;
using System.Runtime.CompilerServices;
using StickyIngress.Core;
using StickyIngress.Core.Upstreams;
using Yarp.ReverseProxy.Forwarder;

namespace StickyIngress.Proxy.Forwarding.Yarp;

/// <summary>One profile for each distinct set of connection settings, however many upstreams and peers use it.</summary>
public sealed class InvokerProfiles(Clock clock) : IDisposable
{
    private readonly ConditionalWeakTable<ProxySettings, InvokerProfile?[]> _bySettings = [];
    private readonly ConcurrentDictionary<(InvokerProfileKey Key, TimeSpan ReadTimeout), InvokerProfile> _profiles = new();

    public InvokerProfile For(ProxySettings settings, PeerProtocol protocol)
    {
        var known = _bySettings.GetValue(settings, static _ => new InvokerProfile?[4]);
        return known[(int)protocol] ??= Find(settings, protocol);
    }

    public void Dispose()
    {
        foreach (var profile in _profiles.Values) profile.Dispose();
    }

    private InvokerProfile Find(ProxySettings settings, PeerProtocol protocol)
    {
        var isTls = protocol is PeerProtocol.Https or PeerProtocol.H2;
        var key = new InvokerProfileKey(
            protocol, settings.ConnectTimeout, settings.SendTimeout, settings.Keepalive.Time, settings.Keepalive.Timeout, isTls ? settings.Tls : null);
        return _profiles.GetOrAdd((key, settings.ReadTimeout), entry => new(entry.Key, Config(entry.Key, entry.ReadTimeout), clock));
    }

    private static ForwarderRequestConfig Config(InvokerProfileKey key, TimeSpan readTimeout) => new()
    {
        ActivityTimeout = readTimeout,
        Version = key.Protocol is PeerProtocol.H2 or PeerProtocol.H2c ? HttpVersion.Version20 : HttpVersion.Version11,
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        AllowResponseBuffering = false,
    };
}
