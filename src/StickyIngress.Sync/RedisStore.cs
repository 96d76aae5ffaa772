using System.Buffers.Text;
using System.Collections.Concurrent;
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
    private readonly ConcurrentDictionary<string, RedisKey> _lifeKeys = new();
    private readonly RedisValue _channel;
    private readonly ClusterSlots _slots = new();

    public RedisStore(RedisConnection connection)
    {
        _connection = connection;
        _prefix = connection.Options.Prefix;
        _channel = _prefix + ":bindings";
        connection.Subscribe(_channel!, message => Announced?.Invoke(message));
    }

    public event Action<ReadOnlyMemory<byte>>? Announced;

    /// <summary>The shards of a Cluster by their address.</summary>
    public IReadOnlyCollection<string> Parts
    {
        get
        {
            // The library asks again when a shard that it knows has moved, and not for one that was given up and comes back.
            if (_connection.ClusterNode is { } node && !_slots.TakeAll(node)) node.ClusterNodes(CommandFlags.FireAndForget);
            return _slots.Shards;
        }
    }

    public string PartOf(in SharedKey key) => _slots.ShardOf(KeyOf(key));

    public async Task<byte[]?> ReadAsync(SharedKey key)
    {
        var database = _connection.Database;
        var name = KeyOf(key);
        try
        {
            return await database.StringGetAsync(name, CommandFlags.DemandMaster);
        }
        catch (RedisServerException e) when (IsOfAnotherType(e))
        {
            throw Unusable(name, e);
        }
    }

    public async Task<byte[]> WriteAsync(SharedWrite write)
    {
        var arguments = new RedisValue[4 + write.Expected.Count];
        arguments[0] = write.Value;
        arguments[1] = Math.Max(1, (long)write.Lifetime.TotalMilliseconds);
        arguments[2] = write.Announcement ?? RedisValue.EmptyString;
        arguments[3] = _channel;
        for (var i = 0; i < write.Expected.Count; i++) arguments[4 + i] = write.Expected[i];

        // The script itself each time: a store that has just started does not know it by its hash.
        var name = KeyOf(write.Key);
        try
        {
            var stored = await _connection.Database.ScriptEvaluateAsync(
                WriteScript, [name], arguments, CommandFlags.DemandMaster | CommandFlags.NoScriptCache);
            return (byte[]?)stored ?? [];
        }
        catch (RedisServerException e) when (IsOfAnotherType(e))
        {
            throw Unusable(name, e);
        }
    }

    /// <summary>Whoever finds no mark makes one, so another mark is another life. Setting it is also the try of a write.</summary>
    public async Task<StoreProbe> ProbeAsync(string part)
    {
        var (database, key) = (_connection.Database, LifeKeyOf(part));
        var mine = Guid.NewGuid().ToString("N");
        try
        {
            var found = await database.StringSetAndGetAsync(key, mine, null, When.NotExists, CommandFlags.DemandMaster);
            return new(found.IsNull ? mine : found.ToString(), Writable: true);
        }
        catch (RedisServerException)
        {
            // Out of memory, read-only, or not permitted: reading may still work.
            return new((await database.StringGetAsync(key, CommandFlags.DemandMaster)).ToString(), Writable: false);
        }
    }

    public Task TryReadAsync(string part) => _connection.Database.StringGetAsync(LifeKeyOf(part), CommandFlags.DemandMaster);

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    private static bool IsOfAnotherType(RedisServerException e) => e.Message.Contains("WRONGTYPE", StringComparison.Ordinal);

    /// <summary>A key that a part has, the same for every replica.</summary>
    private RedisKey LifeKeyOf(string part)
    {
        if (_lifeKeys.TryGetValue(part, out var known) && _slots.ShardOf(known) == part) return known;

        RedisKey key = _prefix + ":life";
        for (var i = 1; i < 16 * ClusterSlots.Count && _slots.ShardOf(key) != part; i++) key = $"{_prefix}:life:{i}";
        return _lifeKeys[part] = key;
    }

    private static UnusableKeyException Unusable(RedisKey key, Exception cause)
    {
        var bytes = (byte[])key!;
        var head = bytes.AsSpan(..^SharedKey.SessionBytes);
        return new($"{Encoding.UTF8.GetString(head)}{Convert.ToHexStringLower(bytes.AsSpan(head.Length))}: {cause.Message}", cause);
    }

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
