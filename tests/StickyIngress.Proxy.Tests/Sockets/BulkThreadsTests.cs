using System.Globalization;
using System.Net.Security;
using System.Net.Sockets;
using System.Threading.Channels;
using Microsoft.Extensions.Time.Testing;
using StickyIngress.Proxy.Sockets;
using StickyIngress.Testing;

namespace StickyIngress.Proxy.Tests.Sockets;

public sealed class BulkThreadsTests
{
    /// <summary>In proc_pid_stat(5), counted after the name.</summary>
    private const int NiceField = 16;

    private const int OthersRequests = 20;
    private const int LargeSize = 1024 * 1024;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task They_are_nicer_than_others()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "niceness is that of Linux");

        var nice = await OnBulkThreadAsync(static () => Niceness("/proc/thread-self/stat"));

        Assert.Equal(Math.Min(19, Niceness("/proc/self/stat") + 10), nice);
    }

    [Fact]
    public async Task Work_without_end_leaves_others_their_turn()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var hogs = Enumerable.Range(0, 2 * Environment.ProcessorCount).Select(_ => HogAsync(stop.Token)).ToArray();

        for (var i = 0; i < OthersRequests; i++) Assert.StartsWith("bulk ", await OnBulkThreadAsync(static () => Thread.CurrentThread.Name!));

        Assert.All(hogs, static hog => Assert.False(hog.IsCompleted));
        await stop.CancelAsync();
        await Task.WhenAll(hogs);
    }

    [Fact]
    public async Task What_fails_takes_no_thread_along()
    {
        for (var i = 0; i < 2 * Environment.ProcessorCount; i++) BulkThreads.Queue(static _ => throw new InvalidOperationException("for the test"), null);

        Assert.StartsWith("bulk ", await OnBulkThreadAsync(static () => Thread.CurrentThread.Name!));
    }

    [Fact]
    public async Task Hands_are_shaken_there_and_requests_served_elsewhere()
    {
        Assert.SkipUnless(EventLoop.IsSupported, "event loops are for Linux on x64 and arm64");
        await using var backend = RawBackend.Start(AnswerAsync);
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint], certificate: ProxyUnderTest.MakeCertificate());
        using var client = new TestClient(proxy.EndPoint);
        var session = await client.ConnectTlsAsync("x", Stop);
        using var another = new TestClient(proxy.EndPoint);
        Task<SslStream> shaking;
        using (await BlockAsync())
        {
            shaking = another.ConnectTlsAsync("x", Stop);
            for (var i = 0; i < OthersRequests; i++) await RequestAsync(session);
            Assert.False(shaking.IsCompleted);
        }

        await RequestAsync(await shaking);
    }

    [Fact]
    public async Task Large_bodies_are_moved_there_and_small_ones_elsewhere()
    {
        Assert.SkipUnless(EventLoop.IsSupported, "event loops are for Linux on x64 and arm64");
        await using var backend = RawBackend.Start(AnswerAsync);
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint]);
        Task<byte[]> large;
        using (await BlockAsync())
        {
            large = proxy.Client.GetByteArrayAsync("/large", Stop);
            for (var i = 0; i < OthersRequests; i++) Assert.Equal("ok", await proxy.Client.GetStringAsync("/", Stop));
            Assert.False(large.IsCompleted);
        }

        Assert.Equal(LargeSize, (await large).Length);
    }

    [Fact]
    public async Task What_trickles_is_moved_as_small_bodies_are()
    {
        Assert.SkipUnless(EventLoop.IsSupported, "event loops are for Linux on x64 and arm64");
        const int Piece = 48 * 1024;
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        var pieces = Channel.CreateUnbounded<byte[]>();
        await using var backend = RawBackend.Start(async (stream, cancellationToken) =>
        {
            await RawBackend.ReadHeadAsync(stream, cancellationToken);
            await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n"u8.ToArray(), cancellationToken);
            await foreach (var piece in pieces.Reader.ReadAllAsync(cancellationToken)) await stream.WriteAsync(piece, cancellationToken);
        });
        await using var proxy = await ProxyUnderTest.StartAsync([backend.EndPoint], time: time);
        using var client = new TestClient(proxy.EndPoint);
        var stream = await client.ConnectAsync(Stop);
        using (await BlockAsync())
        {
            await stream.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), Stop);
            await RawBackend.ReadHeadAsync(stream, Stop);
            for (var i = 0; i < 5; i++)
            {
                await pieces.Writer.WriteAsync(new byte[Piece], Stop);
                await stream.ReadExactlyAsync(new byte[Piece], Stop);
                time.Advance(TimeSpan.FromSeconds(1));
            }
        }
    }

    private static async Task AnswerAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        while (true)
        {
            var head = await RawBackend.ReadHeadAsync(stream, cancellationToken);
            if (head.Length == 0) return;

            await stream.WriteAsync(head.StartsWith("GET /large", StringComparison.Ordinal)
                ? [.. "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n"u8, .. new byte[LargeSize]]
                : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray(), cancellationToken);
        }
    }

    private static async Task RequestAsync(Stream session)
    {
        await session.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), Stop);
        Assert.StartsWith("HTTP/1.1 200 OK\r\n", await RawBackend.ReadHeadAsync(session, Stop));
        await session.ReadExactlyAsync(new byte[2], Stop);
    }

    /// <summary>All of them are held from when this ends until what it returns is disposed.</summary>
    private static async Task<IDisposable> BlockAsync()
    {
        var (release, held) = (new ManualResetEventSlim(), new CountdownEvent(Environment.ProcessorCount));
        var allHeld = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        for (var i = 0; i < Environment.ProcessorCount; i++)
        {
            BulkThreads.Queue(_ =>
            {
                if (held.Signal()) allHeld.SetResult();
                release.Wait();
            }, null);
        }

        await allHeld.Task.WaitAsync(Stop);
        return new Release(release);
    }

    private static Task<T> OnBulkThreadAsync<T>(Func<T> function)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        BulkThreads.Queue(_ => result.SetResult(function()), null);
        return result.Task.WaitAsync(Stop);
    }

    private static async Task HogAsync(CancellationToken stop)
    {
        while (!stop.IsCancellationRequested) await BulkThreads.TakeTurn();
    }

    private static int Niceness(string stat) =>
        int.Parse(File.ReadAllText(stat).Split(')')[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries)[NiceField], CultureInfo.InvariantCulture);

    private sealed class Release(ManualResetEventSlim release) : IDisposable
    {
        public void Dispose() => release.Set();
    }
}
