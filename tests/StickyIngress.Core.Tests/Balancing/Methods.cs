using StickyIngress.Core.Balancing;
using StickyIngress.Core.Upstreams;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Tests.Balancing;

/// <summary>Every balancing method, as tests name it.</summary>
internal static class Methods
{
    /// <summary>The test request's key, whatever the variable.</summary>
    private static readonly Template Key =
        Template.TryParse("$request_uri", find: null, out var key, out var error) ? key : throw new InvalidOperationException(error);

    private static readonly Dictionary<string, Func<IndexUse, MakeBalancer>> ByName = new()
    {
        ["round robin"] = use => (primaries, backups) => new RoundRobinBalancer(primaries, backups, use),
        ["least_conn"] = use => (primaries, backups) => new LeastConnBalancer(primaries, backups, use),
        ["least_time header"] = use => LeastTime(TimeMeasure.Header, inflight: false, use),
        ["least_time last_byte"] = use => LeastTime(TimeMeasure.LastByte, inflight: false, use),
        ["least_time header inflight"] = use => LeastTime(TimeMeasure.Header, inflight: true, use),
        ["least_time last_byte inflight"] = use => LeastTime(TimeMeasure.LastByte, inflight: true, use),
        ["hash"] = _ => (primaries, backups) => new HashBalancer(primaries, backups, Key),
        ["hash consistent"] = _ => (primaries, backups) => new ConsistentHashBalancer(primaries, backups, Key, previous: null),
        ["ip_hash"] = _ => (primaries, backups) => new IpHashBalancer(primaries, backups),
        ["random"] = _ => Random(two: null),
        ["random two least_conn"] = _ => Random(RandomTwo.LeastConn),
        ["random two least_time=header"] = _ => Random(RandomTwo.LeastTimeHeader),
        ["random two least_time=last_byte"] = _ => Random(RandomTwo.LeastTimeLastByte),
    };

    public static IEnumerable<string> Names => ByName.Keys;

    public static MakeBalancer RoundRobin => Named("round robin");

    public static MakeBalancer Named(string method) => Named(method, IndexUse.Normal);

    public static MakeBalancer Named(string method, IndexUse use) => ByName[method](use);

    private static MakeBalancer LeastTime(TimeMeasure measure, bool inflight, IndexUse use) =>
        (primaries, backups) => new LeastTimeBalancer(primaries, backups, measure, inflight, use);

    private static MakeBalancer Random(RandomTwo? two) =>
        (primaries, backups) => new RandomBalancer(primaries, backups, two, new Random(1));
}
