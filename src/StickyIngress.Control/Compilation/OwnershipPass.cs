using StickyIngress.Api;

namespace StickyIngress.Control.Compilation;

/// <summary>Which resources are for this installation; the others are left alone without a word, as Kubernetes asks of controllers.</summary>
internal static class OwnershipPass
{
    public static void Run(CompileRun run)
    {
        var ownership = new Ownership(run.Options, run.Resources.IngressClasses);
        foreach (var named in run.Dirty)
        {
            var elsewhere = (run.Resources.Upstreams.TryGetValue(named, out var upstream) && !ownership.IsOurs(upstream))
                || (run.Resources.Ingresses.TryGetValue(named, out var ingress) && !ownership.IsOurs(ingress));
            if (elsewhere) run.Elsewhere.Add(named);
            else run.Elsewhere.Remove(named);
        }
    }

    public static bool IsOurs(CompileRun run, StickyUpstream upstream) => new Ownership(run.Options, run.Resources.IngressClasses).IsOurs(upstream);
}
