using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging;
using StickyIngress.Core.Sessions;
using StickyIngress.Core.Sharing;
using StickyIngress.Testing;

namespace StickyIngress.Sync.Tests;

/// <summary>The store as a real server keeps it.</summary>
public sealed class RedisStoreTests
{
    private const string Prefix = "sticky-ingress";

    private static readonly SharedKey Key = new("5f0c6bd2-4b1c-4d52-9f2f-3a1f6f0c7e11", new SessionKey(0x1122334455667788, 0x99aabbccddeeff00));

    private static readonly byte[] A = "peer a"u8.ToArray();
    private static readonly byte[] B = "peer b"u8.ToArray();
    private static readonly byte[] C = "peer c"u8.ToArray();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_write_stands_and_the_second_gets_its_value()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = await Client.ConnectAsync(server);
        await using var two = await Client.ConnectAsync(server);

        Assert.Null(await one.Store.ReadAsync(Key));
        Assert.Equal(A, await one.Store.WriteAsync(Write(A)));
        Assert.Equal(A, await two.Store.WriteAsync(Write(B)));
        Assert.Equal(A, await two.Store.ReadAsync(Key));
    }

    [Fact]
    public async Task A_write_replaces_only_what_it_expects()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = await Client.ConnectAsync(server);
        await one.Store.WriteAsync(Write(A));

        Assert.Equal(B, await one.Store.WriteAsync(Write(B, A)));
        Assert.Equal(B, await one.Store.WriteAsync(Write(C, A)));
        Assert.Equal(C, await one.Store.WriteAsync(Write(C, A, B)));
    }

    [Fact]
    public async Task A_session_ends_after_its_lifetime_and_a_write_of_the_same_prolongs_it()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = await Client.ConnectAsync(server);

        await one.Store.WriteAsync(Write(A) with { Lifetime = TimeSpan.FromMilliseconds(50) });
        await Eventually.HoldsAsync(async () => await one.Store.ReadAsync(Key) is null, "the session has ended", Stop);
        await one.Store.WriteAsync(Write(A) with { Lifetime = TimeSpan.FromSeconds(5) });
        await one.Store.WriteAsync(Write(A) with { Lifetime = TimeSpan.FromMinutes(5) });

        Assert.InRange(await TimeToLiveAsync(server), 200, 300);
    }

    [Fact]
    public async Task What_changes_is_announced_once_and_in_order()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = await Client.ConnectAsync(server);
        await using var two = await Client.ConnectAsync(server);

        await one.Store.WriteAsync(Write(A) with { Announcement = "first"u8.ToArray() });
        await one.Store.WriteAsync(Write(A) with { Announcement = "same"u8.ToArray() });
        await one.Store.WriteAsync(Write(B) with { Announcement = "lost"u8.ToArray() });
        await one.Store.WriteAsync(Write(B, A) with { Announcement = "second"u8.ToArray() });
        await Eventually.HoldsAsync(() => two.Heard.Contains("second"), "the other replica hears", Stop);

        Assert.Equal(["first", "second"], two.Heard);
    }

    /// <summary>A replica that looks under another key finds nothing, and no version in a value tells it.</summary>
    [Fact]
    public async Task A_session_has_the_key_under_which_the_replicas_that_run_now_look_for_it()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = await Client.ConnectAsync(server);

        await one.Store.WriteAsync(Write(A));

        var hex = await server.LinesAsync(
            "EVAL \"return redis.call('KEYS', 'sticky-ingress:*:*')[1]:gsub('.', function(c) return string.format('%02x', c:byte()) end)\" 0", Stop);
        Assert.Equal(
            [.. "sticky-ingress:Xwxr0kscTVKfLzofbwx-EQ:"u8, .. Convert.FromHexString("887766554433221100ffeeddccbbaa99")],
            Convert.FromHexString(hex.Single()));
    }

    [Fact]
    public async Task The_same_session_of_another_upstream_is_another()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = await Client.ConnectAsync(server);
        foreach (var owner in (string[])["0b9a3c1e-6d57-4f0a-8c35-2f8f3c8b9d10", "default/shop", "default/blog"])
        {
            var other = Key with { Owner = owner };

            Assert.Null(await one.Store.ReadAsync(other));
            await one.Store.WriteAsync(Write(A) with { Key = other });
        }
    }

    [Fact]
    public async Task Another_prefix_shares_nothing_with_the_first()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = await Client.ConnectAsync(server);
        await using var two = await Client.ConnectAsync(server, prefix: "other");

        await one.Store.WriteAsync(Write(A) with { Announcement = "one"u8.ToArray() });
        Assert.Null(await two.Store.ReadAsync(Key));
        await two.Store.WriteAsync(Write(B) with { Announcement = "two"u8.ToArray() });
        await Eventually.HoldsAsync(() => two.Heard.Contains("two"), "it hears its own", Stop);

        Assert.Equal(["two"], two.Heard);
        Assert.NotEqual((await one.Store.ProbeAsync("")).Life, (await two.Store.ProbeAsync("")).Life);
    }

    [Fact]
    public async Task A_store_that_has_lost_its_content_has_another_life()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = await Client.ConnectAsync(server);
        await using var two = await Client.ConnectAsync(server);

        var first = await one.Store.ProbeAsync("");
        Assert.Equal(first, await two.Store.ProbeAsync(""));
        await server.SayAsync("FLUSHALL", Stop);
        var second = await two.Store.ProbeAsync("");

        Assert.NotEqual(first.Life, second.Life);
        Assert.Equal(second, await one.Store.ProbeAsync(""));
    }

    [Fact]
    public async Task A_store_out_of_memory_is_read_and_not_written()
    {
        await using var server = await RedisServer.StartAsync("--maxmemory-policy", "noeviction");
        await using var one = await Client.ConnectAsync(server);
        await one.Store.WriteAsync(Write(A));
        var life = (await one.Store.ProbeAsync("")).Life;
        await server.SayAsync("CONFIG SET maxmemory 1", Stop);

        Assert.Equal(new StoreProbe(life, Writable: false), await one.Store.ProbeAsync(""));
        Assert.Equal(A, await one.Store.ReadAsync(Key));
        await Assert.ThrowsAnyAsync<Exception>(() => one.Store.WriteAsync(Write(B, A)));
    }

    [Fact]
    public async Task A_server_that_was_killed_is_used_again_when_it_is_back()
    {
        await using var server = await RedisServer.StartAsync();
        await using var one = await Client.ConnectAsync(server);
        await using var two = await Client.ConnectAsync(server);
        await one.Store.WriteAsync(Write(A));

        server.Kill();
        await Eventually.HoldsAsync(async () => await FailsAsync(one), "calls fail", Stop);
        await server.RestartAsync();
        await Eventually.HoldsAsync(async () => !await FailsAsync(one) && !await FailsAsync(two), "calls succeed again", Stop);

        await Eventually.HoldsAsync(async () =>
        {
            if (await FailsAsync(() => one.Store.WriteAsync(Write(B, A) with { Announcement = "b"u8.ToArray() }))) return false;
            if (await FailsAsync(() => one.Store.WriteAsync(Write(A, B) with { Announcement = "a"u8.ToArray() }))) return false;
            return two.Heard.Contains("b");
        }, "the other replica hears again", Stop);
    }

    [Fact]
    public async Task A_password_that_changes_in_its_file_is_taken_up()
    {
        await using var server = await RedisServer.StartAsync("--requirepass", "right");
        using var password = new TemporaryFile("wrong\n");
        await using var one = new Client(server, password.Path);

        await Eventually.HoldsAsync(async () => await FailsAsync(one), "the wrong password is refused", Stop);
        await File.WriteAllTextAsync(password.Path, "right\n", Stop);

        await Eventually.HoldsAsync(async () => !await FailsAsync(one), "the right one is taken", Stop);
    }

    /// <summary>A Secret that changes before the store does.</summary>
    [Fact]
    public async Task A_new_password_that_the_store_does_not_take_yet_leaves_the_connection_that_works()
    {
        await using var server = await StartWithUserAsync("first");
        using var password = new TemporaryFile("first\n");
        await using var one = new Client(server, password.Path, user: "app@");
        await Eventually.HoldsAsync(async () => !await FailsAsync(one), "it is connected", Stop);
        var connected = await ConnectionsAsync(server);

        await File.WriteAllTextAsync(password.Path, "second\n", Stop);
        await Eventually.HoldsAsync(() => !one.Logged.IsEmpty, "the new one is refused", Stop);
        var refused = await RefusedAsync(server);
        await Eventually.HoldsAsync(async () => await RefusedAsync(server) > refused, "it is tried again", Stop);
        Assert.False(await FailsAsync(one));
        Assert.Superset(connected, await ConnectionsAsync(server));
        await server.SayAsync("ACL SETUSER app resetpass >second", Stop);

        await Eventually.HoldsAsync(async () => !(await ConnectionsAsync(server)).Overlaps(connected), "the new one has taken its place", Stop);
        Assert.False(await FailsAsync(one));
        Assert.Equal(["does not take the password", "the password has changed"], one.Logged.Select(Gist));
    }

    [Fact]
    public async Task A_connection_that_breaks_leaves_its_place_to_that_with_the_new_password()
    {
        await using var server = await StartWithUserAsync("first");
        using var password = new TemporaryFile("first\n");
        await using var one = new Client(server, password.Path, user: "app@");
        await Eventually.HoldsAsync(async () => !await FailsAsync(one), "it is connected", Stop);
        await File.WriteAllTextAsync(password.Path, "second\n", Stop);
        await Eventually.HoldsAsync(() => !one.Logged.IsEmpty, "the new one is refused", Stop);

        await server.SayAsync("ACL SETUSER app resetpass >second", Stop);
        await server.SayAsync("CLIENT KILL USER app", Stop);

        await Eventually.HoldsAsync(async () => !await FailsAsync(one), "the new one is taken", Stop);
    }

    /// <summary>Whoever is not that user may do nothing with sessions.</summary>
    private static async Task<RedisServer> StartWithUserAsync(string password)
    {
        var server = await RedisServer.StartAsync();
        await server.SayAsync($"ACL SETUSER app on >{password} ~* &* +@all", Stop);
        await server.SayAsync("ACL SETUSER default -@all +acl +client", Stop);
        return server;
    }

    private static SharedWrite Write(byte[] value, params byte[][] expected) => new(Key, value, expected, TimeSpan.FromMinutes(10), null);

    private static async Task<long> TimeToLiveAsync(RedisServer server) =>
        long.Parse((await server.SayAsync("EVAL \"return redis.call('TTL', redis.call('KEYS', 'sticky-ingress:*:*')[1])\" 0", Stop))[1..]);

    /// <summary>Logins that the server has refused.</summary>
    private static async Task<int> RefusedAsync(RedisServer server)
    {
        var log = await server.LinesAsync("ACL LOG", Stop);
        return log.Index().Where(line => line.Item == "count").Sum(line => int.Parse(log[line.Index + 1].TrimStart(':')));
    }

    /// <summary>Who is connected as the user of these tests.</summary>
    private static async Task<HashSet<string>> ConnectionsAsync(RedisServer server) =>
        [.. (await server.LinesAsync("CLIENT LIST", Stop)).Where(line => line.Contains(" user=app ", StringComparison.Ordinal)).Select(line => line.Split(' ')[0])];

    private static string Gist(string message) =>
        message.Contains("does not take the password", StringComparison.Ordinal) ? "does not take the password"
        : message.Contains("the password has changed", StringComparison.Ordinal) ? "the password has changed" : message;

    private static Task<bool> FailsAsync(Client client) => FailsAsync(() => client.Store.ProbeAsync(""));

    /// <summary>A connection that has just been made again may still fail a call: whoever calls does so again.</summary>
    private static async Task<bool> FailsAsync(Func<Task> call)
    {
        try
        {
            await call();
            return false;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return true;
        }
    }

    /// <summary>A replica's end of the store.</summary>
    private sealed class Client : IAsyncDisposable, ILogger<RedisConnection>
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _running;

        public Client(RedisServer server, string? passwordFile = null, string prefix = Prefix, string user = "")
        {
            var connection = new RedisConnection(
                new() { Store = "redis://" + user + server.Address, PasswordFile = passwordFile, Prefix = prefix }, TimeProvider.System, this);
            Store = new(connection);
            Store.Announced += message => Hear(Encoding.UTF8.GetString(message.Span));
            _running = connection.RunAsync(_stop.Token);
        }

        public RedisStore Store { get; }

        public ConcurrentQueue<string> Heard { get; } = new();

        public ConcurrentQueue<string> Logged { get; } = new();

        private bool IsSubscribed { get; set; }

        public static async Task<Client> ConnectAsync(RedisServer server, string prefix = Prefix)
        {
            var client = new Client(server, prefix: prefix);
            await Eventually.HoldsAsync(async () =>
            {
                if (await FailsAsync(client)) return false;

                await server.SayAsync($"PUBLISH {prefix}:bindings hello", Stop);
                return client.IsSubscribed;
            }, "it is connected and hears", Stop);
            return client;
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await Task.WhenAny(_running);
            await Store.DisposeAsync();
            _stop.Dispose();
        }

        public void Log<TState>(LogLevel level, EventId id, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Logged.Enqueue(formatter(state, exception));

        public bool IsEnabled(LogLevel level) => true;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        private void Hear(string message)
        {
            if (message == "hello") IsSubscribed = true;
            else Heard.Enqueue(message);
        }
    }

    private sealed class TemporaryFile : IDisposable
    {
        public TemporaryFile(string content) => File.WriteAllText(Path, content);

        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose() => File.Delete(Path);
    }
}
