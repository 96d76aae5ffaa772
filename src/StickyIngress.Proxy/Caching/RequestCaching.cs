using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;
using StickyIngress.Core.Upstreams;
using StickyIngress.Proxy.Bodies;
using StickyIngress.Proxy.Forwarding;

namespace StickyIngress.Proxy.Caching;

/// <summary>One request's part in the cache: what was kept for it, and what of the peer's answer is to be kept.</summary>
internal sealed class RequestCaching(ProxyRequest request, CacheSettings settings, ClientConditions conditions, KeptResponse? kept, long now)
{
    private KeyValuePair<string, string>[]? _headers;
    private CapturedBody? _body;
    private long _lifetime;
    private int _status;

    public CacheStatus Status { get; set; }

    public string StatusWord => Status.ToString().ToUpperInvariant();

    /// <summary>The peer's response is not passed on; what was kept answers.</summary>
    public bool TookOver { get; private set; }

    private bool MayBeStale => kept is not null && now < kept.FreshUntil + (long)settings.Stale.TotalSeconds;

    /// <summary>Asks the peer to say so where what was kept is still right.</summary>
    public void AskWhetherChanged()
    {
        var headers = request.Context.Request.Headers;
        if (kept?.Header(HeaderNames.ETag) is { } tag) headers.IfNoneMatch = tag;
        if (kept?.Header(HeaderNames.LastModified) is { } modified) headers.IfModifiedSince = modified;
    }

    /// <summary>Asked when a peer's status is here and no other peer is going to be tried.</summary>
    public bool TakesOver(int status)
    {
        if (kept is null || TookOver || Status != CacheStatus.Expired) return false;

        if (status == StatusCodes.Status304NotModified) Status = CacheStatus.Revalidated;
        else if (status is 500 or 502 or 503 or 504 && MayBeStale) Status = CacheStatus.Stale;
        else return false;

        return TookOver = true;
    }

    /// <summary>Asked before an answer of our own with that status.</summary>
    public bool AnswersInstead(int status)
    {
        if (request.Context.Response.HasStarted) return false;
        if (TookOver) return true;
        if (status is not (502 or 503 or 504) || Status != CacheStatus.Expired || !MayBeStale) return false;

        Status = CacheStatus.Stale;
        return TookOver = true;
    }

    /// <summary>The header of an answer that goes to the client, before we add to it.</summary>
    public void HeadersReceived(int status, IHeaderDictionary headers)
    {
        if (TookOver || Status == CacheStatus.Hit || !HttpMethods.IsGet(request.Context.Request.Method) || request.LastTry?.Peer is null) return;

        var lifetime = Freshness.Of(status, name => Value(headers, name), headers.SetCookie.Count > 0, settings.Valid, now);
        if (lifetime is null || headers.ContentLength > settings.MaxEntrySize) return;

        (_status, _lifetime) = (status, lifetime.Value);
        _headers = [.. headers.Where(header => HeaderRules.IsPassedToClient(header.Key)).Select(header => new KeyValuePair<string, string>(header.Key, header.Value.ToString()))];
        request.ResponseBody!.Capture = _body = new(settings.MaxEntrySize);
    }

    /// <summary>What is to be kept now that the request has ended; null: nothing.</summary>
    public KeptResponse? ToKeep()
    {
        if (Status == CacheStatus.Revalidated) return Renewed();
        if (_headers is null || _body!.IsTooLarge || TookOver || request.LastTry?.End != Tries.TryEnd.Responded) return null;

        return new(_status, now, now + _lifetime, _headers, _body.Bytes);
    }

    /// <summary>Answers with what was kept.</summary>
    public async Task WriteKeptAsync(ProxyRequest request)
    {
        var response = request.Context.Response;
        var unchanged = conditions.HoldFor(kept!);
        response.Headers.Clear();
        response.StatusCode = unchanged ? StatusCodes.Status304NotModified : kept!.Status;
        foreach (var (name, value) in kept!.Headers)
        {
            if (!unchanged || !name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase)) response.Headers[name] = value;
        }

        response.Headers.Age = Math.Max(0, now - kept.StoredAt).ToString();
        ClientHeaders.Add(request, response.StatusCode);
        if (unchanged) return;

        response.ContentLength = kept.Body.Length;
        if (HttpMethods.IsHead(request.Context.Request.Method)) return;

        request.ResponseBody ??= new ResponseBody(response);
        await request.ResponseBody.WriteAsync(kept.Body, request.Context.RequestAborted);
    }

    /// <summary>The same response for another lifetime: the 304's, or the one that it had.</summary>
    private KeptResponse Renewed()
    {
        var lifetime = Freshness.Of(kept!.Status, name => request.Response?.Header(name) ?? kept.Header(name), setsCookie: false, settings.Valid, now);
        return kept with { StoredAt = now, FreshUntil = now + (lifetime ?? 0) };
    }

    private static string? Value(IHeaderDictionary headers, string name) => headers.TryGetValue(name, out var value) ? value.ToString() : null;
}
