namespace StickyIngress.Control.Diagnostics;

/// <summary>The order in which diagnostics are told: by resource, errors first, then as they stand in the file.</summary>
internal sealed class DiagnosticOrder : IComparer<Diagnostic>
{
    public static DiagnosticOrder Instance { get; } = new();

    public int Compare(Diagnostic? x, Diagnostic? y)
    {
        if (x is null || y is null) return (x is null ? 0 : 1) - (y is null ? 0 : 1);

        var order = ResourceOrder.Compare(x.Resource, y.Resource);
        if (order == 0) order = y.Severity.CompareTo(x.Severity);
        if (order == 0) order = string.CompareOrdinal(x.File, y.File);
        if (order == 0) order = x.Line.CompareTo(y.Line);
        if (order == 0) order = string.CompareOrdinal(x.Field, y.Field);
        if (order == 0) order = string.CompareOrdinal(x.Reason, y.Reason);
        return order != 0 ? order : string.CompareOrdinal(x.Message, y.Message);
    }
}
