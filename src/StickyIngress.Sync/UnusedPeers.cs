using StackExchange.Redis;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Sync;

/// <summary>
/// Gives shared changes of peers an end: what was undone, and what is of a peer that no replica has had, goes after a week. Since when is
/// kept in the store too, in <c>PREFIX:peers-unused</c>, so that neither a restart of all replicas nor a store that is away for a while ends anything.
/// </summary>
/// <param name="peers">Those that there are now.</param>
/*
 * Each replica looks once an hour. One that has a peer takes away what others noted of its absence. A change is first undone, which all
 * replicas hear of, and its field is removed by the next look: a replica that still had it would write it again.
 */
internal sealed class UnusedPeers(RedisConnection connection, PeerOverridesHolder overrides, Func<IReadOnlySet<PeerRef>> peers, TimeProvider time)
{
    public static readonly TimeSpan Interval = TimeSpan.FromHours(1);
    public static readonly TimeSpan Kept = TimeSpan.FromDays(7);

    private readonly string _changes = connection.Options.Prefix + ":peers";
    private readonly string _unused = connection.Options.Prefix + ":peers-unused";
    private DateTimeOffset _next;

    /// <summary>Does nothing before an hour has passed since the last time.</summary>
    public async Task SweepAsync()
    {
        var now = time.GetUtcNow();
        if (now < _next) return;

        _next = now + Interval;
        var database = connection.Database;
        var changes = await database.HashGetAllAsync(_changes, CommandFlags.DemandMaster);
        var since = (await database.HashGetAllAsync(_unused, CommandFlags.DemandMaster)).ToDictionary(one => one.Name, one => (long)one.Value);
        if (changes.Length == 0 && since.Count == 0) return;

        var known = peers();
        foreach (var change in changes)
        {
            // What another version wrote is its own affair.
            if (!SharedPeers.TryRead(change.Name!, change.Value!, out var peer, out var value)) continue;

            if (value != PeerOverride.None && known.Contains(peer))
                await ForgetAsync(change.Name);
            else if (!since.TryGetValue(change.Name, out var noted))
                await database.HashSetAsync(_unused, change.Name, now.ToUnixTimeSeconds(), When.NotExists, CommandFlags.DemandMaster);
            else if (now - DateTimeOffset.FromUnixTimeSeconds(noted) >= Kept)
                await EndAsync(change.Name, peer, value);
        }

        foreach (var gone in since.Keys.Except(changes.Select(change => change.Name))) await ForgetAsync(gone);

        Task ForgetAsync(RedisValue field) =>
            since.ContainsKey(field) ? database.HashDeleteAsync(_unused, field, CommandFlags.DemandMaster) : Task.CompletedTask;
    }

    private async Task EndAsync(RedisValue field, PeerRef peer, PeerOverride value)
    {
        if (value == PeerOverride.None)
            await connection.Database.HashDeleteAsync(_changes, field, CommandFlags.DemandMaster);
        else
            overrides.Change(peer, static _ => PeerOverride.None);
    }
}
