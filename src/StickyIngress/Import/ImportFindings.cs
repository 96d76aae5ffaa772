namespace StickyIngress.Import;

/// <summary>What the import has to say, in the order found; the same thing is said once.</summary>
internal sealed class ImportFindings
{
    private readonly List<ImportFinding> _all = [];
    private readonly HashSet<ImportFinding> _said = [];

    public IReadOnlyList<ImportFinding> All => _all;

    public int Count(FindingKind kind) => _all.Count(finding => finding.Kind == kind);

    /// <summary>nginx would refuse this too.</summary>
    public void Error(NginxDirective at, string message) => Error(at.File, at.Line, message);

    public void Error(string file, int line, string message) => Add(new(FindingKind.Error, file, line, message));

    /// <summary>The directive is left out of what is written.</summary>
    public void NoCounterpart(NginxDirective at, string? why = null) =>
        Add(new(FindingKind.NoCounterpart, at.File, at.Line, why is null ? $"{at}" : $"{at} ({why})"));

    /// <summary>The number, or the greatest that a field here takes, which is then told.</summary>
    public long AtMost(NginxDirective at, long number, long most)
    {
        if (number > most) NoCounterpart(at, $"numbers end at {most}, which is written instead of {number}");
        return Math.Min(number, most);
    }

    /// <summary>It is written, but means something a little different, or nginx warns of it.</summary>
    public void Warn(NginxDirective at, string message) => Add(new(FindingKind.Warning, at.File, at.Line, message));

    /// <summary>What is left to do by hand before the resource works.</summary>
    public void ToDo(NginxDirective at, string message) => Add(new(FindingKind.ToDo, at.File, at.Line, message));

    private void Add(ImportFinding finding)
    {
        if (_said.Add(finding)) _all.Add(finding);
    }
}

internal sealed record ImportFinding(FindingKind Kind, string File, int Line, string Message)
{
    /// <summary><c>FILE:LINE: kind: message</c>.</summary>
    public override string ToString()
    {
        var kind = Kind switch
        {
            FindingKind.Error => "error",
            FindingKind.NoCounterpart => "no counterpart",
            FindingKind.Warning => "warning",
            _ => "to do",
        };
        return $"{File}:{Line}: {kind}: {Message}";
    }
}

internal enum FindingKind
{
    Error,
    NoCounterpart,
    Warning,
    ToDo,
}
