using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Sources;

/// <summary>What a file holds: the resources that could be read, and what is wrong with the others.</summary>
internal sealed record ManifestReading(ImmutableArray<Resource> Resources, ImmutableArray<Diagnostic> Diagnostics)
{
    public static ManifestReading Empty { get; } = new([], []);

    /// <summary>
    /// This reading, with what is broken in it as it last was. An error that names a resource keeps that one; an error that names
    /// none (the text is no YAML) could hide any of them and keeps all that are missing.
    /// </summary>
    public ManifestReading KeepingLastGood(ManifestReading former)
    {
        var errors = Diagnostics.Where(found => found.Severity == Severity.Error).ToArray();
        if (errors.Length == 0) return this;

        var read = Resources.Select(resource => resource.Ref).ToHashSet();
        var anyMayHide = errors.Any(error => error.Resource is null);
        var broken = errors.Select(error => error.Resource).ToHashSet();
        var kept = former.Resources.Where(last => !read.Contains(last.Ref) && (anyMayHide || broken.Contains(last.Ref)));
        return this with { Resources = [.. Resources, .. kept] };
    }
}
