using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using StickyIngress.Proxy.Sockets;

namespace StickyIngress.Proxy.Tests.Sockets;

public sealed class LoopSocketTests : IDisposable
{
    private const int Megabyte = 1024 * 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public LoopSocketTests()
    {
        Assert.SkipUnless(EventLoop.IsSupported, "event loops are for Linux on x64 and arm64");
        _listener.Start();
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => _listener.Dispose();

    [Fact]
    public async Task It_receives_what_comes_and_then_the_end()
    {
        var (socket, other) = await ConnectAsync();
        using (socket)
        {
            var reading = ReadAsync(socket, 16);
            await other.SendAsync("hello"u8.ToArray(), Stop);
            Assert.Equal("hello"u8.ToArray(), await reading);

            // The bytes and the end in one: the end is not told again after the bytes were read.
            await other.SendAsync("!"u8.ToArray(), Stop);
            other.Dispose();

            Assert.Equal("!"u8.ToArray(), await ReadAsync(socket, 16));
            Assert.Empty(await ReadAsync(socket, 16));
            Assert.Empty(await ReadAsync(socket, 16));
        }
    }

    [Fact]
    public async Task More_than_the_buffer_holds_is_not_forgotten()
    {
        var (socket, other) = await ConnectAsync();
        using (socket)
        using (other)
        {
            await other.SendAsync("abcdef"u8.ToArray(), Stop);

            Assert.Equal("abc"u8.ToArray(), await ReadAsync(socket, 3));
            Assert.Equal("def"u8.ToArray(), await ReadAsync(socket, 3));
            Assert.True(socket.IsQuiet());
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_is_quiet_until_something_comes(bool ends)
    {
        var (socket, other) = await ConnectAsync();
        using (socket)
        using (other)
        {
            Assert.True(socket.IsQuiet());
            if (ends) other.Shutdown(SocketShutdown.Send);
            else await other.SendAsync("x"u8.ToArray(), Stop);

            await socket.ReadableAsync();

            Assert.False(socket.IsQuiet());
            Assert.False(socket.IsQuiet());
        }
    }

    [Fact]
    public async Task A_reset_is_told_to_who_waits_and_to_who_asks_again()
    {
        var (socket, other) = await ConnectAsync();
        using (socket)
        {
            var reading = ReadAsync(socket, 16);
            other.Close(0);

            await Assert.ThrowsAsync<IOException>(() => reading);
            await Assert.ThrowsAsync<IOException>(() => ReadAsync(socket, 16));
        }
    }

    [Fact]
    public async Task Closing_ends_the_waiting_of_both_sides()
    {
        var (socket, other) = await ConnectAsync();
        using (other)
        {
            while (socket.Send(new byte[Megabyte]) > 0)
            {
            }

            var (reading, writing) = (ReadAsync(socket, 16), WriteAsync(socket, new byte[32 * Megabyte]));
            socket.Dispose();

            await Assert.ThrowsAsync<ObjectDisposedException>(() => reading);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => writing);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => ReadAsync(socket, 16));
        }
    }

    [Fact]
    public async Task What_the_system_does_not_take_is_sent_when_there_is_room()
    {
        var (socket, other) = await ConnectAsync();
        using (socket)
        using (other)
        {
            var sent = RandomNumberGenerator.GetBytes(16 * Megabyte);
            var writing = WriteAsync(socket, sent);
            Assert.False(writing.IsCompleted);

            var received = new byte[sent.Length];
            await new NetworkStream(other).ReadExactlyAsync(received, Stop);
            await writing;

            Assert.Equal(sent, received);
        }
    }

    [Fact]
    public async Task A_port_that_nobody_listens_to_is_an_error()
    {
        var endPoint = _listener.LocalEndpoint;
        _listener.Stop();
        using var socket = Make(endPoint);

        var error = await Record.ExceptionAsync(() => socket.ConnectAsync(endPoint).AsTask());

        Assert.True(LoopSocket.IsFailure(error!), error?.ToString());
    }

    [Fact]
    public async Task Closing_ends_a_connecting()
    {
        // Nobody takes connections in here, and the queue for them is short, so the last one is left waiting.
        using var full = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(1);
        List<LoopSocket> sockets = [];
        Socket last;
        Task connecting;
        do
        {
            last = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            sockets.Add(new(last));
            connecting = sockets[^1].ConnectAsync(full.LocalEndPoint!).AsTask();
        }
        while (last.Poll(0, SelectMode.SelectWrite));

        sockets[^1].Dispose();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => connecting);
        sockets.ForEach(socket => socket.Dispose());
    }

    [Fact]
    public async Task Many_at_once_each_get_their_own()
    {
        const int Count = 200;
        await Task.WhenAll(Enumerable.Range(0, Count).Select(async number =>
        {
            for (var round = 0; round < 5; round++)
            {
                var (socket, other) = await ConnectAsync();
                using (socket)
                using (other)
                {
                    var sent = new byte[1 + (number * 37 % 5000)];
                    Array.Fill(sent, (byte)number);
                    var reading = ReadAllAsync(socket);
                    await other.SendAsync(sent, Stop);
                    other.Shutdown(SocketShutdown.Send);
                    Assert.Equal(sent, await reading);
                }
            }
        }));
    }

    private static LoopSocket Make(EndPoint endPoint) => new(new(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp));

    private static async Task<byte[]> ReadAsync(LoopSocket socket, int size)
    {
        var buffer = new byte[size];
        int count;
        while (!socket.TryReceive(buffer, out count)) await socket.ReadableAsync();
        return buffer[..count];
    }

    private static async Task<byte[]> ReadAllAsync(LoopSocket socket)
    {
        List<byte> all = [];
        while (await ReadAsync(socket, 512) is { Length: > 0 } piece) all.AddRange(piece);
        return [.. all];
    }

    private static async Task WriteAsync(LoopSocket socket, ReadOnlyMemory<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var count = socket.Send(bytes.Span);
            if (count == 0) await socket.WritableAsync();
            bytes = bytes[count..];
        }
    }

    private static async Task<(LoopSocket Socket, Socket Other)> ConnectAsync()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var socket = Make(listener.LocalEndpoint);
        var accepting = listener.AcceptSocketAsync(Stop);
        await socket.ConnectAsync(listener.LocalEndpoint);
        return (socket, await accepting);
    }
}
