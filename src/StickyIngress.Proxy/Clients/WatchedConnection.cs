using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Clients;

/// <summary>A client's connection over the server's own sockets: TLS, HTTP/2, and everything where there are no event loops.</summary>
internal sealed class WatchedConnection(IDuplexPipe transport, SendLimit limit) : IDuplexPipe
{
    public PipeReader Input => transport.Input;

    public PipeWriter Output { get; } = new WatchedOutput(transport.Output, limit);

    /// <summary>Goes on with the connection, which ends when its client takes nothing for too long.</summary>
    public static Task ServeAsync(ConnectionContext connection, ConnectionDelegate next, SendWatch watch) =>
        connection is ClientConnection ? next(connection) : ServeWatchedAsync(connection, next, watch);

    private static async Task ServeWatchedAsync(ConnectionContext connection, ConnectionDelegate next, SendWatch watch)
    {
        // The server goes on at once with what waited, and may hold a lock of its own where it begins to wait.
        using var limit = new SendLimit(watch, () => ThreadPool.UnsafeQueueUserWorkItem(static connection => connection.Abort(), connection, preferLocal: false));
        connection.Transport = new WatchedConnection(connection.Transport, limit);
        await next(connection);
    }
}
