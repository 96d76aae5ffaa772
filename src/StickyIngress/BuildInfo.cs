using System.Reflection;

namespace StickyIngress;

/// <summary>What this program is.</summary>
internal static class BuildInfo
{
    /// <summary>As in the tag, without what the build adds.</summary>
    public static string Version { get; } =
        typeof(BuildInfo).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "unknown";
}
