using System.Collections.Frozen;
using StickyIngress.Core;

namespace StickyIngress.Proxy;

/// <summary>Label values come from small closed sets, whatever clients and peers send.</summary>
internal static class MetricWords
{
    private const string Other = "other";

    private static readonly FrozenSet<string> Methods =
        FrozenSet.Create("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "PROPFIND", "LOCK", "UNLOCK", "MKCOL", "COPY", "MOVE");

    private static readonly string[] Codes = [.. Enumerable.Range(100, 500).Select(code => code.ToString())];

    public static string Method(string method) => Methods.TryGetValue(method, out var known) ? known : Other;

    public static string Of(QueueRejection rejection) => rejection switch
    {
        QueueRejection.Full => "full",
        QueueRejection.Timeout => "timeout",
        QueueRejection.ClientGone => "client_gone",
        _ => throw new ArgumentOutOfRangeException(nameof(rejection), rejection, null),
    };

    /// <summary>0 is a try without a response.</summary>
    public static string Code(int code) => code is >= 100 and < 600 ? Codes[code - 100] : code == 0 ? "none" : Other;
}
