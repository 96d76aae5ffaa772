using System.Net.Sockets;
using Microsoft.AspNetCore.Hosting.Server;
using StickyIngress.Core.Affinity;
using StickyIngress.Settings;

namespace StickyIngress.Admin;

/// <summary>
/// The admin port: a server of its own, so that it answers whatever the proxy's is going through, and until the process ends.
/// </summary>
internal sealed class AdminServer(IServiceProvider services, ServeSettings settings, AffinityKeysHolder keys, ILogger<AdminServer> logger)
    : LifecycleService, IAsyncDisposable
{
    private WebApplication? _app;

    public override async Task StartingAsync(CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = PeerEndpoint.LongestBody;
            kestrel.ListenOn(settings.Admin);
        });
        builder.Services.AddRoutingCore();
        _app = builder.Build();
        _app.Use(TellFailure);
        _app.Use(AnswerHeadAsGet);
        _app.UseRouting();
        _app.Use(AdminEndpoints.AnswerUnknown);
        AdminEndpoints.Map(_app, services);
        try
        {
            await _app.StartAsync(cancellationToken);
        }
        catch (SocketException e)
        {
            throw new IOException($"cannot listen on {settings.Admin}: {e.Message}", e);
        }
    }

    /// <summary>This server has no log of its own.</summary>
    private async Task TellFailure(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (Exception e) when (!context.RequestAborted.IsCancellationRequested)
        {
            Log.AdminFailed(logger, context.Request.Path, e);
            throw;
        }
    }

    /// <summary>Some load balancers check health by HEAD. The server leaves out the body by itself.</summary>
    private static Task AnswerHeadAsGet(HttpContext context, RequestDelegate next)
    {
        if (HttpMethods.IsHead(context.Request.Method)) context.Request.Method = HttpMethods.Get;
        return next(context);
    }

    public override Task StartedAsync(CancellationToken cancellationToken)
    {
        if (keys.Current.IsRandom) Log.RandomKeys(logger);
        Log.Serving(logger, services.GetRequiredService<IServer>().Taken(settings.Http), _app!.Services.GetRequiredService<IServer>().Taken(settings.Admin));
        return Task.CompletedTask;
    }

    /// <summary>After the proxy has stopped.</summary>
    public override async Task StoppedAsync(CancellationToken cancellationToken)
    {
        if (_app is not null) await _app.StopAsync(cancellationToken);
    }

    public ValueTask DisposeAsync() => _app?.DisposeAsync() ?? ValueTask.CompletedTask;
}
