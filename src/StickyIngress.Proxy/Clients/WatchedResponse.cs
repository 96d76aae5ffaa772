using System.IO.Pipelines;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace StickyIngress.Proxy.Clients;

/// <summary>
/// A response by HTTP/2, for which the client may open no window while its connection goes on: then the stream is reset.
/// </summary>
internal sealed class WatchedResponse : IHttpResponseBodyFeature, IDisposable
{
    private readonly IHttpResponseBodyFeature _response;
    private readonly SendLimit _limit;
    private Stream? _stream;

    private WatchedResponse(HttpContext context, SendWatch watch)
    {
        (_response, _limit) = (context.Features.GetRequiredFeature<IHttpResponseBodyFeature>(), new(watch, context.Abort));
        Writer = new WatchedOutput(_response.Writer, _limit);
    }

    public PipeWriter Writer { get; }

    public Stream Stream => _stream ??= Writer.AsStream(leaveOpen: true);

    public static async Task ServeAsync(HttpContext context, RequestDelegate serve, SendWatch watch)
    {
        using var response = new WatchedResponse(context, watch);
        context.Features.Set<IHttpResponseBodyFeature>(response);
        await serve(context);
    }

    public void DisableBuffering() => _response.DisableBuffering();

    public Task StartAsync(CancellationToken cancellationToken = default) => _response.StartAsync(cancellationToken);

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) =>
        SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken);

    public Task CompleteAsync() => _response.CompleteAsync();

    public void Dispose() => _limit.Dispose();
}
