namespace StickyIngress.Api;

/// <summary>Every default value, once, with the nginx directive that it mirrors.</summary>
public static class Defaults
{
    public const int Weight = 1;                                                  // server weight=
    public const int MaxConns = 0;                                                // server max_conns=
    public const int MaxFails = 1;                                                // server max_fails=
    public static readonly TimeSpan FailTimeout = TimeSpan.FromSeconds(10);       // server fail_timeout=
    public static readonly TimeSpan SlowStart = TimeSpan.Zero;                    // server slow_start=

    public static readonly TimeSpan ResolverTimeout = TimeSpan.FromSeconds(30);   // resolver_timeout

    public static readonly TimeSpan LearnTimeout = TimeSpan.FromMinutes(10);      // sticky learn timeout=
    public const int FailStatus = 503;

    public static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(60);    // proxy_connect_timeout
    public static readonly TimeSpan SendTimeout = TimeSpan.FromSeconds(60);       // proxy_send_timeout
    public static readonly TimeSpan ReadTimeout = TimeSpan.FromSeconds(60);       // proxy_read_timeout
    public const long MaxBodySize = 1024 * 1024;                                  // client_max_body_size
    public const long RequestBuffer = 64 * 1024;                                  // client_body_buffer_size

    public static readonly TimeSpan CacheValid = TimeSpan.FromMinutes(1);
    public const string CacheKey = "$scheme$host$request_uri";                    // proxy_cache_key, with the host that was asked for
    public const long CacheMaxEntrySize = 1024 * 1024;

    public const int KeepaliveConnections = 32;                                   // keepalive
    public const int KeepaliveRequests = 1000;                                    // keepalive_requests
    public static readonly TimeSpan KeepaliveTime = TimeSpan.FromHours(1);        // keepalive_time
    public static readonly TimeSpan KeepaliveTimeout = TimeSpan.FromSeconds(60);  // keepalive_timeout

    public static readonly TimeSpan QueueTimeout = TimeSpan.FromSeconds(60);      // queue timeout=

    public static readonly TimeSpan HealthCheckInterval = TimeSpan.FromSeconds(5); // health_check interval=
    public static readonly TimeSpan HealthCheckTimeout = TimeSpan.FromSeconds(5);

    /// <summary>proxy_next_upstream.</summary>
    public static IReadOnlyList<NextUpstreamCondition> NextUpstream { get; } =
        new ValueList<NextUpstreamCondition>([NextUpstreamCondition.Error, NextUpstreamCondition.Timeout]);
}
