using System.Collections.Immutable;

namespace StickyIngress.Import;

/// <summary>The directives of an http, server or location block, and around them those that they inherit from.</summary>
internal sealed class Scope(ImmutableArray<NginxDirective> directives, Scope? outer)
{
    private readonly ILookup<string, NginxDirective> _byName = directives.ToLookup(directive => directive.Name);

    public ImmutableArray<NginxDirective> Directives => directives;

    public IReadOnlyList<NginxDirective> Own(string name) => [.. _byName[name]];

    /// <summary>Those of the nearest block that has any: a level that sets something takes nothing of it from outside.</summary>
    public IReadOnlyList<NginxDirective> Nearest(string name) => _byName.Contains(name) ? Own(name) : outer?.Nearest(name) ?? [];

    /// <summary>The one directive of that name with one argument; anything else is an error, and null.</summary>
    public NginxDirective? Setting(string name, ImportFindings findings)
    {
        var nearest = Nearest(name);
        if (nearest.Count == 0) return null;
        if (nearest.Count > 1) findings.Error(nearest[1], $"\"{name}\" directive is duplicate");
        else if (nearest[0].Arguments.Length != 1) findings.Error(nearest[0], $"invalid number of arguments in \"{name}\" directive");
        else return nearest[0];

        return null;
    }
}
