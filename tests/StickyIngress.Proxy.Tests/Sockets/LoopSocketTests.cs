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

    [Theory]
    [InlineData(ContinueOn.EventLoop, "event loop ")]
    [InlineData(ContinueOn.ThreadPool, ".NET TP Worker")]
    [InlineData(ContinueOn.BulkThread, "bulk ")]
    internal async Task Who_waits_goes_on_where_that_was_said(ContinueOn where, string thread)
    {
        var (socket, other) = await ConnectAsync();
        using (socket)
        using (other)
        {
            var wentOn = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
            socket.ContinueOn = where;
            Assert.False(socket.TryReceive(new byte[1], out _));
            Assert.True(socket.TryWaitToRead(state => ((TaskCompletionSource<string>)state!).SetResult(Thread.CurrentThread.Name ?? ""), wentOn));

            await other.SendAsync("x"u8.ToArray(), Stop);

            Assert.StartsWith(thread, await wentOn.Task.WaitAsync(Stop));
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

    [Theory]
    [InlineData(10)]
    [InlineData(8 * 1024)]
    [InlineData(8 * 1024 + 1)]
    public async Task What_is_sent_soon_leaves_when_the_events_at_hand_are_told(int size)
    {
        // More sockets than pieces wait for each other.
        var pairs = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => ConnectAsync()));
        var sent = pairs.Select(_ => RandomNumberGenerator.GetBytes(size)).ToArray();

        await OnLoopAsync(pairs[0], () =>
        {
            Assert.Equal(size, pairs[0].Socket.SendSoon(sent[0]));
            Assert.Equal(size > 8 * 1024, pairs[0].Other.Poll(0, SelectMode.SelectRead));
            for (var i = 1; i < pairs.Length; i++) Assert.Equal(size, pairs[i].Socket.SendSoon(sent[i]));
        });

        for (var i = 0; i < pairs.Length; i++)
        {
            Assert.Equal(sent[i], await ReadExactlyAsync(pairs[i].Other, size));
            Close(pairs[i]);
        }
    }

    [Fact]
    public async Task It_is_sent_before_what_is_sent_afterwards()
    {
        var pair = await ConnectAsync();

        await OnLoopAsync(pair, () =>
        {
            Assert.Equal(1, pair.Socket.SendSoon("a"u8));
            Assert.Equal(1, pair.Socket.SendSoon("b"u8));
            Assert.Equal(1, pair.Socket.SendSoon("c"u8));
            Assert.Equal(1, pair.Socket.Send("d"u8));
            Assert.Equal(1, pair.Socket.SendSoon("e"u8));

            // Of another thread, which does not wait for the loop.
            var other = new Thread(() => pair.Socket.Send("f"u8));
            other.Start();
            other.Join();
        });

        Assert.Equal("abcdef"u8.ToArray(), await ReadExactlyAsync(pair.Other, 6));
        Close(pair);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task It_is_sent_before_the_end(bool closes)
    {
        var pair = await ConnectAsync();

        await OnLoopAsync(pair, () =>
        {
            Assert.True(pair.Socket.TryReceive(new byte[16], out _));
            pair.Socket.SendSoon("bye"u8);
            if (closes) pair.Socket.Dispose();
            else pair.Socket.EndSending();
        });

        Assert.Equal("bye"u8.ToArray(), await ReadExactlyAsync(pair.Other, 3));
        Assert.Equal(0, await pair.Other.ReceiveAsync(new byte[1], Stop));
        Close(pair);
    }

    [Fact]
    public async Task What_is_sent_soon_waits_for_room_too()
    {
        var pair = await ConnectAsync();
        var (socket, sent) = (pair.Socket, RandomNumberGenerator.GetBytes(8 * 1024));
        var filled = 0;

        await OnLoopAsync(pair, () =>
        {
            while (socket.Send(new byte[Megabyte]) is > 0 and var count) filled += count;
            Assert.Equal(sent.Length, socket.SendSoon(sent));
        });
        Assert.False(socket.TryFlush());
        Assert.Equal(0, socket.Send("!"u8));

        await ReadExactlyAsync(pair.Other, filled);
        Assert.Equal(sent, await ReadExactlyAsync(pair.Other, sent.Length));
        await WriteAsync(socket, "!"u8.ToArray());
        Assert.Equal("!"u8.ToArray(), await ReadExactlyAsync(pair.Other, 1));
        Close(pair);
    }

    [Fact]
    public async Task Where_it_cannot_be_sent_the_reader_finds_what_has_come_and_then_the_end()
    {
        var pair = await ConnectAsync();
        var socket = pair.Socket;

        await OnLoopAsync(pair, () =>
        {
            // The system takes no more from us.
            socket.EndSending();
            socket.SendSoon("late"u8);
        });

        Assert.Equal("?"u8.ToArray(), await ReadAsync(socket, 16));
        Assert.Empty(await ReadAsync(socket, 16));
        Assert.Throws<IOException>(() => socket.Send("later"u8));
        Close(pair);
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

    /// <summary>Does it on the thread of the socket's loop, which tells that a byte has come.</summary>
    private static async Task OnLoopAsync((LoopSocket Socket, Socket Other) pair, Action action)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void Do(object? state)
        {
            try
            {
                Assert.True(pair.Socket.Loop!.IsCurrent);
                action();
                done.SetResult();
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        }

        pair.Socket.IsQuiet();
        Assert.True(pair.Socket.TryWaitToRead(Do, pair));
        await pair.Other.SendAsync("?"u8.ToArray(), Stop);
        await done.Task;
    }

    private static async Task<byte[]> ReadExactlyAsync(Socket socket, int count)
    {
        var bytes = new byte[count];
        await new NetworkStream(socket).ReadExactlyAsync(bytes, Stop);
        return bytes;
    }

    private static void Close((LoopSocket Socket, Socket Other) pair)
    {
        pair.Socket.Dispose();
        pair.Other.Dispose();
    }

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
