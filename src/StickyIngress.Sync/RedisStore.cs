using System.Buffers.Text;
using System.Text;
using StackExchange.Redis;
using StickyIngress.Core.Sharing;

namespace StickyIngress.Sync;

/// <summary>
/// Bindings in Redis or Valkey. A session is one key, <c>PREFIX:UID:</c> and 16 bytes; what replicas tell each other goes through
/// one channel. The connection is made in the background, and anew when the password changes.
/// </summary>
public sealed class RedisStore : ISharedStore, IAsyncDisposable
{
    /// <summary>
    /// KEYS[1] the session; ARGV: value, lifetime in milliseconds, announcement or nothing, channel, and the values that may be
    /// replaced. Answers what stands there afterwards.
    /// </summary>
    private const string WriteScript = """
        local found = redis.call('GET', KEYS[1])
        if found == ARGV[1] then
          redis.call('PEXPIRE', KEYS[1], ARGV[2])
          return found
        end
        local mine = not found
        for i = 5, #ARGV do mine = mine or found == ARGV[i] end
        if not mine then return found end
        redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
        if ARGV[3] ~= '' then redis.call('PUBLISH', ARGV[4], ARGV[3]) end
        return ARGV[1]
        """;

    private readonly RedisConnection _connection;
    private readonly string _prefix;
    private readonly RedisKey _lifeKey;
    private readonly RedisValue _channel;

    public RedisStore(RedisConnection connection)
    {
        _connection = connection;
        _prefix = connection.Options.Prefix;
        _lifeKey = _prefix + ":life";
        _channel = _prefix + ":bindings";
        connection.Subscribe(_channel!, message => Announced?.Invoke(message));
    }

    public event Action<ReadOnlyMemory<byte>>? Announced;

    public async Task<byte[]?> ReadAsync(SharedKey key) =>
        await _connection.Database.StringGetAsync(KeyOf(key), CommandFlags.DemandMaster);

    public async Task<byte[]> WriteAsync(SharedWrite write)
    {
        var arguments = new RedisValue[4 + write.Expected.Count];
        arguments[0] = write.Value;
        arguments[1] = Math.Max(1, (long)write.Lifetime.TotalMilliseconds);
        arguments[2] = write.Announcement ?? RedisValue.EmptyString;
        arguments[3] = _channel;
        for (var i = 0; i < write.Expected.Count; i++) arguments[4 + i] = write.Expected[i];

        // The script itself each time: a store that has just started does not know it by its hash.
        var stored = await _connection.Database.ScriptEvaluateAsync(
            WriteScript, [KeyOf(write.Key)], arguments, CommandFlags.DemandMaster | CommandFlags.NoScriptCache);
        return (byte[]?)stored ?? [];
    }

    /// <summary>Whoever finds no mark makes one, so another mark is another life. Setting it is also the try of a write.</summary>
    public async Task<StoreProbe> ProbeAsync()
    {
        var database = _connection.Database;
        var mine = Guid.NewGuid().ToString("N");
        try
        {
            var found = await database.StringSetAndGetAsync(_lifeKey, mine, null, When.NotExists, CommandFlags.DemandMaster);
            return new(found.IsNull ? mine : found.ToString(), Writable: true);
        }
        catch (RedisServerException)
        {
            // Out of memory, read-only, or not permitted: reading may still work.
            return new((await database.StringGetAsync(_lifeKey, CommandFlags.DemandMaster)).ToString(), Writable: false);
        }
    }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private RedisKey KeyOf(in SharedKey key)
    {
        var owner = NameOf(key.Owner);
        var head = Encoding.UTF8.GetByteCount(_prefix) + 1 + Encoding.UTF8.GetByteCount(owner) + 1;
        var bytes = new byte[head + SharedKey.SessionBytes];
        var at = Encoding.UTF8.GetBytes(_prefix, bytes);
        bytes[at++] = (byte)':';
        at += Encoding.UTF8.GetBytes(owner, bytes.AsSpan(at));
        bytes[at] = (byte)':';
        key.WriteSession(bytes.AsSpan(head));
        return bytes;
    }

    /// <summary>A UID in 22 characters instead of 36, which saves the store 16 bytes a session; anything else as it is.</summary>
    private static string NameOf(string owner) =>
        Guid.TryParseExact(owner, "D", out var uid) && uid.ToString("D") == owner ? Base64Url.EncodeToString(uid.ToByteArray(bigEndian: true)) : owner;
}
