using Microsoft.Net.Http.Headers;

namespace StickyIngress;

/// <summary>
/// While the process stops, answers by HTTP/1.1 say <c>Connection: close</c>, so that clients who keep their connection go elsewhere before it
/// is closed under them. HTTP/2 connections are told by the server's GOAWAY.
/// </summary>
internal static class ConnectionClose
{
    public static void UseConnectionClose(this WebApplication app)
    {
        var readiness = app.Services.GetRequiredService<Readiness>();
        app.Use(next => context =>
        {
            if (readiness.IsStopping && HttpProtocol.IsHttp11(context.Request.Protocol) && !context.Request.Headers.ContainsKey(HeaderNames.Upgrade))
                context.Response.OnStarting(SayCloseAsync, context.Response);
            return next(context);
        });
    }

    /// <summary>As the last thing, since whoever answers begins with no headers.</summary>
    private static Task SayCloseAsync(object response)
    {
        ((HttpResponse)response).Headers.Connection = "close";
        return Task.CompletedTask;
    }
}
