using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;

namespace StickyIngress.Control.Compilation;

/// <summary>
/// Which resources are for this installation. One rule for the compiler and for the cluster source, which reads only the Secrets of what is ours.
/// </summary>
/// <param name="classes">By reference, as they are now.</param>
public readonly struct Ownership(CompilerOptions options, IReadOnlyDictionary<ResourceRef, IngressClass> classes)
{
    private const string ClassAnnotation = "kubernetes.io/ingress.class";

    private bool IsDefault => OurClass is { IsDefault: true, Controller: CompilerOptions.Controller };

    private IngressClass? OurClass => classes.GetValueOrDefault(new(IngressClass.KindName, "", options.IngressClass));

    /// <summary>A StickyUpstream without a class is the default installation's: ours, unless another class of our controller is the default.</summary>
    public bool IsOurs(StickyUpstream upstream) => upstream.Spec.IngressClassName is { } named
        ? named == options.IngressClass
        : classes.Count == 0 || IsDefault || !classes.Values.Any(known => known.IsDefault && known.Controller == CompilerOptions.Controller);

    /// <summary>The old annotation decides where it stands, then the field, then the default class.</summary>
    public bool IsOurs(Ingress ingress)
    {
        if (ingress.Metadata.Annotations.TryGetValue(ClassAnnotation, out var annotated)) return annotated == options.IngressClass;

        var own = OurClass;
        if (ingress.IngressClassName is { } named)
            return named == options.IngressClass && (own is null ? options.TrustsClassNames : own.Controller == CompilerOptions.Controller);

        return IsDefault || (options.Standalone && classes.Count == 0);
    }
}
