using System.Text;

namespace StickyIngress.Api.Reading;

/// <summary>Where the reader stands in a document, and what it found there. One per file; <see cref="Begin"/> starts a document.</summary>
internal sealed class Findings
{
    private const int MaxPerDocument = 1000;
    private readonly List<ReadError> _errors = [];
    private readonly List<(string? Name, int Index)> _path = [];
    private ResourceRef? _resource;
    private int _first;

    public IReadOnlyList<ReadError> All => _errors;

    /// <summary>Whether the document has an error.</summary>
    public bool Failed { get; private set; }

    /// <summary>A Secret: what was found is described, never shown.</summary>
    public bool HidesValues { get; private set; }

    public void Begin(ResourceRef? resource)
    {
        (_resource, _first, Failed) = (resource, _errors.Count, false);
        HidesValues = resource?.Kind == Kubernetes.Secret.KindName;
        _path.Clear();
    }

    public void Enter(string name) => _path.Add((name, -1));

    public void Enter(int index) => _path.Add((null, index));

    /// <summary>An entry of a map with keys of the user's own, such as <c>metadata.labels[app]</c>.</summary>
    public void EnterKey(string key) => _path.Add((key, -2));

    public void Leave() => _path.RemoveAt(_path.Count - 1);

    public void Error(string reason, string message, Node at) => Error(reason, PathText(), message, at.Line, at.Column);

    public void Error(string reason, string field, string message, int line, int column)
    {
        Failed = true;
        if (_errors.Count - _first < MaxPerDocument)
            _errors.Add(new ReadError(ReadSeverity.Error, reason, _resource, field, message, line, column));
    }

    public void Warn(string reason, string message, Node at) =>
        _errors.Add(new ReadError(ReadSeverity.Warning, reason, _resource, PathText(), message, at.Line, at.Column));

    public void WrongType(Node node, string allowed) =>
        Error(ReadReasons.WrongType, $"{Name()} is {Found(node)}; it must be {allowed}", node);

    /// <summary>Not a string, though it may look like one to whoever wrote it.</summary>
    public void NotText(Node node, string allowed = "a string") => WrongType(
        node, node.Kind == NodeKind.Scalar && !HidesValues ? $"{allowed} (write it in quotes: \"{node.Text}\")" : allowed);

    public void Wrong(string reason, Node node, string allowed) => Error(reason, $"{Name()} is {Found(node)}; it must be {allowed}", node);

    /// <summary>The last name of the path; what a message begins with.</summary>
    public string Name()
    {
        if (_path.Count == 0) return "the document";

        var last = _path.FindLastIndex(p => p.Index == -1);
        var text = new StringBuilder();
        for (var i = Math.Max(last, 0); i < _path.Count; i++) Append(text, _path[i]);
        return text.ToString();
    }

    private string Found(Node node) => node.Kind switch
    {
        NodeKind.List => "a list",
        NodeKind.Map => "a map",
        _ when HidesValues => node.Resolve() == ScalarKind.Text ? "a string" : "not a string",
        _ => node.Resolve() switch
        {
            ScalarKind.Null => "null",
            ScalarKind.Text => $"\"{Shorten(node.Text)}\"",
            _ => Shorten(node.Text),
        },
    };

    private string PathText()
    {
        var text = new StringBuilder();
        foreach (var step in _path) Append(text, step);
        return text.ToString();
    }

    private static void Append(StringBuilder text, (string? Name, int Index) step)
    {
        if (step.Index >= 0) text.Append('[').Append(step.Index).Append(']');
        else if (step.Index == -2) text.Append('[').Append(step.Name).Append(']');
        else text.Append(text.Length > 0 ? "." : "").Append(step.Name);
    }

    private static string Shorten(string text) => text.Length <= 64 ? text : string.Concat(text.AsSpan(0, 61), "...");
}
