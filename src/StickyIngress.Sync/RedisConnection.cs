using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace StickyIngress.Sync;

/// <summary>
/// The connection to the store. It is never waited for: while there is none, whatever asks for it fails at once. The library
/// reconnects by itself; a password that has changed makes a new connection, which takes the place of one that works only
/// once it has logged in: a Secret may change before the store does.
/// </summary>
public sealed class RedisConnection(SyncOptions options, TimeProvider time, ILogger<RedisConnection> logger) : IAsyncDisposable
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestHold = TimeSpan.FromSeconds(30);

    private readonly List<(string Channel, Action<byte[]> Heard)> _subscriptions = [];
    private ConnectionMultiplexer? _current;
    private string? _password;
    private Refusal? _refusal;

    public SyncOptions Options => options;

    /// <summary>Throws where there is no connection yet.</summary>
    internal IDatabase Database => (Volatile.Read(ref _current) ?? throw new IOException("there is no connection to it yet")).GetDatabase();

    /// <summary>A node that says which shard has what; null: it is no Cluster, or none can be reached.</summary>
    internal IServer? ClusterNode =>
        Volatile.Read(ref _current)?.GetServers().FirstOrDefault(server => server is { IsConnected: true, ClusterConfiguration: not null });

    /// <summary>Hears what is published, one message after another. To be called before <see cref="RunAsync"/>.</summary>
    internal void Subscribe(string channel, Action<byte[]> heard) => _subscriptions.Add((channel, heard));

    /// <summary>Connects, and follows the password file, until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var told = "";
        while (true)
        {
            try
            {
                if (IsOutdated())
                    await ConnectAsync();
                else
                    told = "";
            }
            catch (Exception e)
            {
                if (e.Message != told) Log.NotConnected(logger, e.Message);
                told = e.Message;
            }

            await Task.Delay(Retry, time, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _current, null) is { } connection) await connection.DisposeAsync();
    }

    private bool IsOutdated() => _current is null || (options.PasswordFile is not null && options.ReadPassword() != _password);

    private async Task ConnectAsync()
    {
        var configuration = options.ToConfiguration();
        if (IsHeld(configuration.Password)) return;

        var connection = await ConnectionMultiplexer.ConnectAsync(configuration);
        if (_current is { IsConnected: true } && !await IsLoggedInAsync(connection))
        {
            await connection.DisposeAsync();
            Refuse(configuration.Password);
            return;
        }

        foreach (var (channel, heard) in _subscriptions)
        {
            // Sent when the connection stands, be it now or later, and after each reconnect.
            var queue = await connection.GetSubscriber().SubscribeAsync(RedisChannel.Literal(channel), CommandFlags.FireAndForget);
            queue.OnMessage(message => heard(message.Message!));
        }

        (_password, _refusal) = (configuration.Password, null);
        var former = Interlocked.Exchange(ref _current, connection);
        if (former is not null)
        {
            Log.PasswordChanged(logger);
            await former.DisposeAsync();
        }
    }

    /// <summary>Refused lately, and there is a connection that works meanwhile.</summary>
    private bool IsHeld(string? password) =>
        _current is { IsConnected: true } && _refusal is { } refusal && refusal.Password == password && time.GetElapsedTime(refusal.At) < refusal.Hold;

    private void Refuse(string? password)
    {
        var again = _refusal is { } former && former.Password == password ? 2 * former.Hold : Retry;
        if (again == Retry) Log.PasswordRefused(logger);
        _refusal = new(password, time.GetTimestamp(), again < LongestHold ? again : LongestHold);
    }

    /// <summary>Asks for something that a stranger may not read: the store lets strangers connect.</summary>
    private async Task<bool> IsLoggedInAsync(ConnectionMultiplexer connection)
    {
        try
        {
            await connection.GetDatabase().StringGetAsync(options.Prefix + ":life");
            return true;
        }
        catch (Exception e) when (e is RedisException or TimeoutException)
        {
            return false;
        }
    }

    /// <summary>A password that the store does not take, since when, and how long it is not tried again.</summary>
    private sealed record Refusal(string? Password, long At, TimeSpan Hold);
}
