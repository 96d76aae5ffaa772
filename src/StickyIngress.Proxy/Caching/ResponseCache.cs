using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Net.Http.Headers;
using StickyIngress.Core;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Proxy.Caching;

/// <summary>
/// nginx's proxy_cache on ASP.NET Core's output cache store: which is in memory, bounded, and evicts what was used least lately. An answer from the cache
/// selects no peer and has no affinity; what has a cookie is never kept.
/// </summary>
public sealed class ResponseCache(IOutputCacheStore store, Clock clock)
{
    /// <summary>How long past its use a response is kept, to ask the peer whether it is still right.</summary>
    private static readonly TimeSpan Revalidation = TimeSpan.FromMinutes(10);

    private readonly ConcurrentDictionary<string, bool> _updating = new();

    internal async Task HandleAsync(ProxyRequest request, CacheSettings settings, UpstreamHandler upstreams)
    {
        var http = request.Context.Request;
        if (!(HttpMethods.IsGet(http.Method) || HttpMethods.IsHead(http.Method)) || http.Headers.ContainsKey(HeaderNames.Range) || http.Headers.ContainsKey(HeaderNames.Upgrade))
        {
            await upstreams.HandleAsync(request);
            return;
        }

        var now = clock.Seconds;
        var bypass = IsBypassed(request, settings);
        var primary = $"{request.Upstream!.Name}\n{settings.Key.Evaluate(request)}";
        var (key, kept) = bypass ? (primary, null) : await FindAsync(primary, http.Headers, request.Context.RequestAborted);
        var caching = request.Caching = new(request, settings, ClientConditions.Take(http.Headers), kept, now);
        caching.Status = bypass ? CacheStatus.Bypass : StatusOf(key, kept, settings, now);
        if (caching.Status is CacheStatus.Hit or CacheStatus.Updating)
        {
            await caching.WriteKeptAsync(request);
            return;
        }

        try
        {
            if (caching.Status == CacheStatus.Expired)
            {
                _updating[key] = true;
                caching.AskWhetherChanged();
            }

            await upstreams.HandleAsync(request);
            if (caching.ToKeep() is { } keep) await KeepAsync(primary, http.Headers, keep, settings);
        }
        finally
        {
            if (kept is not null) _updating.TryRemove(key, out _);
        }
    }

    private CacheStatus StatusOf(string key, KeptResponse? kept, CacheSettings settings, long now)
    {
        if (kept is null) return CacheStatus.Miss;
        if (now < kept.FreshUntil) return CacheStatus.Hit;

        return now < kept.FreshUntil + (long)settings.Stale.TotalSeconds && _updating.ContainsKey(key) ? CacheStatus.Updating : CacheStatus.Expired;
    }

    /// <summary>Credentials make an answer the client's own, whatever the peer says of it.</summary>
    private static bool IsBypassed(ProxyRequest request, CacheSettings settings) =>
        request.Context.Request.Headers.ContainsKey(HeaderNames.Authorization)
        || settings.Bypass.Any(template => template.Evaluate(request) is not ("" or "0"));

    private async Task<(string Key, KeptResponse? Kept)> FindAsync(string primary, IHeaderDictionary headers, CancellationToken cancellationToken)
    {
        var found = await GetAsync(primary, cancellationToken);
        if (found is not { Status: 0 }) return (primary, found);

        var key = Secondary(primary, found, headers);
        return (key, await GetAsync(key, cancellationToken));
    }

    private async Task<KeptResponse?> GetAsync(string key, CancellationToken cancellationToken) =>
        await store.GetAsync(key, cancellationToken) is { } bytes ? KeptResponse.FromBytes(bytes) : null;

    private async Task KeepAsync(string primary, IHeaderDictionary headers, KeptResponse response, CacheSettings settings)
    {
        var lifetime = TimeSpan.FromSeconds(response.FreshUntil - response.StoredAt) + settings.Stale + Revalidation;
        if (response.Header(HeaderNames.Vary) is { } vary)
        {
            var rule = new KeptResponse(
                0, response.StoredAt, response.FreshUntil,
                [.. vary.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                    .Select(name => KeyValuePair.Create(name.ToLowerInvariant(), "")).Distinct()],
                default);
            await store.SetAsync(primary, rule.ToBytes(), null, lifetime, CancellationToken.None);
            primary = Secondary(primary, rule, headers);
        }

        await store.SetAsync(primary, response.ToBytes(), null, lifetime, CancellationToken.None);
    }

    private static string Secondary(string primary, KeptResponse rule, IHeaderDictionary headers)
    {
        var key = new StringBuilder(primary);
        foreach (var (name, _) in rule.Headers) key.Append('\n').Append(name).Append(':').Append(headers[name].ToString());
        return key.ToString();
    }
}
