using System.Collections.Immutable;
using StickyIngress.Api;

namespace StickyIngress.Control.Diagnostics;

/// <summary>Collects what is found about one resource, in the order in which it is found.</summary>
internal sealed class DiagnosticBag(ResourceRef resource, string? file)
{
    private readonly ImmutableArray<Diagnostic>.Builder _found = ImmutableArray.CreateBuilder<Diagnostic>(0);

    /// <summary>The resource makes no sense as it is: what it last was keeps serving.</summary>
    public bool Refused { get; private set; }

    /// <summary>An error that refuses the resource.</summary>
    public void Refuse(string reason, string field, string message)
    {
        Refused = true;
        Add(Severity.Error, reason, field, message);
    }

    /// <summary>An error that takes away only what it speaks of; the rest of the resource serves.</summary>
    public void Error(string reason, string field, string message) => Add(Severity.Error, reason, field, message);

    public void Warn(string reason, string field, string message) => Add(Severity.Warning, reason, field, message);

    public ImmutableArray<Diagnostic> ToImmutable() => _found.ToImmutable();

    private void Add(Severity severity, string reason, string field, string message) =>
        _found.Add(new(severity, reason, resource, field, message, file));
}
