using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;

namespace StickyIngress.Control.Compilation;

/// <summary>Which resources are for this installation; the others are left alone without a word, as Kubernetes asks of controllers.</summary>
internal static class OwnershipPass
{
    private const string ClassAnnotation = "kubernetes.io/ingress.class";

    public static void Run(CompileRun run)
    {
        foreach (var named in run.Dirty)
        {
            var elsewhere = (run.Resources.Upstreams.TryGetValue(named, out var upstream) && !IsOurs(run, upstream))
                || (run.Resources.Ingresses.TryGetValue(named, out var ingress) && !IsOurs(run, ingress));
            if (elsewhere) run.Elsewhere.Add(named);
            else run.Elsewhere.Remove(named);
        }
    }

    /// <summary>A StickyUpstream without a class is the default installation's: ours, unless another class of our controller is the default.</summary>
    public static bool IsOurs(CompileRun run, StickyUpstream upstream) =>
        upstream.Spec.IngressClassName is { } named
            ? named == run.Options.IngressClass
            : IsDefault(run) || !run.Resources.IngressClasses.Values.Any(known => known.IsDefault && known.Controller == CompilerOptions.Controller);

    /// <summary>The old annotation decides where it stands, then the field, then the default class.</summary>
    private static bool IsOurs(CompileRun run, Ingress ingress)
    {
        if (ingress.Metadata.Annotations.TryGetValue(ClassAnnotation, out var annotated)) return annotated == run.Options.IngressClass;

        var own = OurClass(run);
        if (ingress.IngressClassName is { } named)
            return named == run.Options.IngressClass && (own is null ? run.Options.Standalone : own.Controller == CompilerOptions.Controller);

        return IsDefault(run) || (run.Options.Standalone && run.Resources.IngressClasses.IsEmpty);
    }

    private static bool IsDefault(CompileRun run) => OurClass(run) is { IsDefault: true, Controller: CompilerOptions.Controller };

    private static IngressClass? OurClass(CompileRun run) =>
        run.Resources.IngressClasses.GetValueOrDefault(new(IngressClass.KindName, "", run.Options.IngressClass));
}
