using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace StickyIngress.Sync;

/// <summary>
/// The connection to the store. It is never waited for: while there is none, whatever asks for it fails at once. The library
/// reconnects by itself; a password that has changed makes a new connection in place of the old one.
/// </summary>
public sealed class RedisConnection(SyncOptions options, TimeProvider time, ILogger<RedisConnection> logger) : IAsyncDisposable
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(1);

    private readonly List<(string Channel, Action<byte[]> Heard)> _subscriptions = [];
    private ConnectionMultiplexer? _current;
    private string? _password;

    public SyncOptions Options => options;

    /// <summary>Throws where there is no connection yet.</summary>
    internal IDatabase Database => (Volatile.Read(ref _current) ?? throw new IOException("there is no connection to it yet")).GetDatabase();

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
                if (IsDue()) await ConnectAsync();
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

    private bool IsDue() => _current is null || (options.PasswordFile is { } file && File.ReadAllText(file).Trim() != _password);

    private async Task ConnectAsync()
    {
        var configuration = options.ToConfiguration();
        var connection = await ConnectionMultiplexer.ConnectAsync(configuration);
        foreach (var (channel, heard) in _subscriptions)
        {
            // Sent when the connection stands, be it now or later, and after each reconnect.
            var queue = await connection.GetSubscriber().SubscribeAsync(RedisChannel.Literal(channel), CommandFlags.FireAndForget);
            queue.OnMessage(message => heard(message.Message!));
        }

        _password = configuration.Password;
        var former = Interlocked.Exchange(ref _current, connection);
        if (former is not null)
        {
            Log.PasswordChanged(logger);
            await former.DisposeAsync();
        }
    }
}
