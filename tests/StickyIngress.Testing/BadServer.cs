using System.Net;
using Microsoft.AspNetCore.Http;

namespace StickyIngress.Testing;

/// <summary>A server that has the one fault that a condition of next_upstream.json names.</summary>
public sealed class BadServer(IPEndPoint endPoint, IAsyncDisposable? server) : IAsyncDisposable
{
    public IPEndPoint EndPoint { get; } = endPoint;

    public static async Task<BadServer> StartAsync(string condition)
    {
        if (condition == "connection_refused") return new(new(IPAddress.Loopback, FreePort.Next()), null);

        if (condition.StartsWith("status_", StringComparison.Ordinal))
        {
            var status = int.Parse(condition["status_".Length..]);
            var backend = await TestBackend.StartAsync("bad", context =>
            {
                context.Response.StatusCode = status;
                return context.Response.WriteAsync("bad");
            });
            return new(backend.EndPoint, backend);
        }

        var raw = condition switch
        {
            "closed_before_response" => RawBackend.Start(RawBackend.ReadHeadAsync),
            "read_timeout" => RawBackend.Silent(),
            "response_header_too_big" => RawBackend.Sending($"HTTP/1.1 200 OK\r\nX-Big: {new string('x', 100_000)}\r\nContent-Length: 0\r\n\r\n"),
            "body_truncated_after_header" => RawBackend.Sending("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"),
            _ => throw new ArgumentException($"a condition that this test does not know: {condition}"),
        };
        return new(raw.EndPoint, raw);
    }

    public ValueTask DisposeAsync() => server?.DisposeAsync() ?? ValueTask.CompletedTask;
}
