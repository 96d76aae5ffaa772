using System.Collections.Concurrent;
using System.Net;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using StickyIngress.Testing.ApiServers;

namespace StickyIngress.Testing;

/// <summary>
/// A Kubernetes API server over a real connection: lists in pages, watches with bookmarks, streaming lists, 410, 409, server-side apply
/// of a status, and faults to order. It notes every request, so that a test can tell what was asked and what permissions that needs.
/// </summary>
public sealed class FakeApiServer : ITestApiServer
{
    private readonly Lock _gate = new();
    private readonly List<FakeFault> _faults = [];
    private readonly ConcurrentQueue<FakeRequest> _requests = new();
    private WebApplication? _app;
    private CancellationTokenSource _up = new();
    private TaskCompletionSource _bookmark = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _port;
    private int _watches;

    private FakeApiServer()
    {
    }

    public FakeStore Store { get; } = new();

    /// <summary>Whether streaming lists are offered; without them they are refused with 422, as by a server with the feature off.</summary>
    public bool StreamsLists { get; set; } = true;

    /// <summary>A server from before streaming lists: it does not know the parameter and overlooks it.</summary>
    public bool OverlooksStreaming { get; set; }

    public Uri Address => new($"http://127.0.0.1:{_port}");

    /// <summary>All that came in, in order.</summary>
    public IReadOnlyCollection<FakeRequest> Requests => _requests;

    /// <summary>The permissions that were used.</summary>
    public IReadOnlySet<FakeUse> Uses =>
        _requests.Select(it => new FakeUse(it.Verb, it.Group, it.Resource, it.Subresource, it.Namespace is not null)).ToHashSet();

    /// <summary>Watches that are open now.</summary>
    public int Watches => Volatile.Read(ref _watches);

    /// <summary>How many requests met a fault so far.</summary>
    public int FaultsMet { get; private set; }

    /// <summary>A kubeconfig for this server, without credentials.</summary>
    public string Kubeconfig => $$"""
        apiVersion: v1
        kind: Config
        clusters: [{ name: fake, cluster: { server: "{{Address}}" } }]
        users: [{ name: fake, user: { token: fake } }]
        contexts: [{ name: fake, context: { cluster: fake, user: fake } }]
        current-context: fake
        """;

    public static async Task<FakeApiServer> StartAsync()
    {
        var server = new FakeApiServer();
        await server.UpAsync();
        return server;
    }

    /// <summary>The next requests that it fits meet the fault. Faults are met in the order in which they were added.</summary>
    public void Add(FakeFault fault)
    {
        lock (_gate) _faults.Add(fault);
    }

    /// <summary>From now on all is well.</summary>
    public void Mend()
    {
        lock (_gate) _faults.Clear();
    }

    /// <summary>Sends a bookmark on every open watch.</summary>
    public void SendBookmarks()
    {
        lock (_gate)
        {
            var told = _bookmark;
            _bookmark = new(TaskCreationOptions.RunContinuationsAsynchronously);
            told.SetResult();
        }
    }

    public Task PutAsync(JsonObject given)
    {
        Store.Put(given);
        return Task.CompletedTask;
    }

    public Task ReplaceAsync(JsonObject given) => PutAsync(given);

    public Task DeleteAsync(string kind, string space, string name)
    {
        Store.Delete(kind, space, name);
        return Task.CompletedTask;
    }

    public Task<JsonObject?> FindAsync(string kind, string space, string name) => Task.FromResult(Store.Find(kind, space, name));

    public Task<IReadOnlyList<JsonObject>> ListAsync(string kind, string space)
    {
        var found = Store.State.Objects.TryGetValue(FakeResource.OfKind(kind), out var objects) ? objects.Values : [];
        return Task.FromResult<IReadOnlyList<JsonObject>>([.. found.Where(it => it.Namespace == space).Select(it => it.Read())]);
    }

    /// <summary>Stops listening and breaks every connection. The store stays and can be changed meanwhile.</summary>
    public async Task DownAsync()
    {
        if (_app is not { } app) return;

        await _up.CancelAsync();
        await app.StopAsync();
        await app.DisposeAsync();
        _app = null;
    }

    /// <summary>Listens again, at the address of before.</summary>
    public async Task UpAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
            kestrel.Listen(IPAddress.Loopback, _port, listen => listen.Protocols = HttpProtocols.Http1));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        _up = new();
        _app = builder.Build();
        _app.Run(HandleAsync);
        await _app.StartAsync();
        _port = new Uri(_app.Urls.Single()).Port;
    }

    public async ValueTask DisposeAsync()
    {
        await DownAsync();
        _up.Dispose();
    }

    internal Task Bookmark()
    {
        lock (_gate) return _bookmark.Task;
    }

    private async Task HandleAsync(HttpContext context)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _up.Token);
        try
        {
            if (FakePath.Parse(context.Request) is not { } path)
            {
                await FakeAnswers.RefuseAsync(context, 404, "the server could not find the requested resource");
                return;
            }

            _requests.Enqueue(path.Request);
            var fault = Take(path.Request);
            if (fault is null || !await FailAsync(context, fault, either.Token)) await ServeAsync(context, path, fault, either.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            context.Abort();
        }
    }

    private Task ServeAsync(HttpContext context, FakePath path, FakeFault? fault, CancellationToken stopping) => path.Request.Verb switch
    {
        "watch" => WatchAsync(context, path, fault, stopping),
        "list" => FakeAnswers.ListAsync(context, path, Store, fault),
        _ => FakeAnswers.OneAsync(context, path, Store),
    };

    private async Task WatchAsync(HttpContext context, FakePath path, FakeFault? fault, CancellationToken stopping)
    {
        Interlocked.Increment(ref _watches);
        try
        {
            await new FakeWatch(this, context, path, fault).ServeAsync(stopping);
        }
        finally
        {
            Interlocked.Decrement(ref _watches);
        }
    }

    private FakeFault? Take(FakeRequest request)
    {
        lock (_gate)
        {
            var index = _faults.FindIndex(fault => fault.Meets(request));
            if (index < 0) return null;

            FaultsMet++;
            var met = _faults[index];
            if (met.Times > 1) _faults[index] = met with { Times = met.Times - 1 };
            else _faults.RemoveAt(index);
            return met;
        }
    }

    /// <summary>Whether that was all of the answer.</summary>
    private static async Task<bool> FailAsync(HttpContext context, FakeFault fault, CancellationToken stopping)
    {
        switch (fault.Kind)
        {
            case FaultKind.Hang:
                await Task.Delay(Timeout.Infinite, stopping);
                return true;
            case FaultKind.Silent:
                await context.Response.StartAsync(stopping);
                await context.Response.Body.FlushAsync(stopping);
                await Task.Delay(Timeout.Infinite, stopping);
                return true;
            case FaultKind.EmptyWatch:
                await context.Response.StartAsync(stopping);
                return true;
            case FaultKind.Page:
                await context.Response.WriteAsync("<html>\n</html>\n", stopping);
                return true;
            case FaultKind.Gone:
                await FakeAnswers.RefuseAsync(context, 410, "too old resource version", "Expired");
                return true;
            case FaultKind.Status:
                if (fault.RetryAfter is { } wait) context.Response.Headers.RetryAfter = wait;
                await FakeAnswers.RefuseAsync(context, fault.Code, "as ordered");
                return true;
            default:
                return false;
        }
    }
}
