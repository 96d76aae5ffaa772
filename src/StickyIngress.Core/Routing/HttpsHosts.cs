namespace StickyIngress.Core.Routing;

/// <summary>For which hosts of a route plain http is answered with 308 to https.</summary>
public sealed class HttpsHosts(IReadOnlyList<HostPattern> hosts)
{
    /// <summary>All that the route is for.</summary>
    public static HttpsHosts All { get; } = new([HostPattern.Any]);

    /// <param name="host">Normalised, as <see cref="RequestHost"/> has it.</param>
    public bool Contain(string host)
    {
        for (var i = 0; i < hosts.Count; i++)
        {
            if (hosts[i].Matches(host)) return true;
        }

        return false;
    }

    public override string ToString() => string.Join(", ", hosts);
}
