namespace StickyIngress.Import;

/// <summary>
/// The names of shared memory. A group's peers always share their state here, so that its zone needs no field; what nginx refuses is refused.
/// </summary>
internal sealed class ZoneImport(ImportFindings findings)
{
    private const long Smallest = 32 * 1024;

    private readonly Dictionary<string, (long Size, NginxDirective Line)> _groups = [];
    private readonly Dictionary<string, string> _sessions = [];

    /// <summary>The <c>zone</c> of an upstream block.</summary>
    public void Group(NginxDirective line)
    {
        if (line.Arguments.Length is < 1 or > 2) findings.Error(line, "invalid number of arguments in \"zone\" directive");
        else if (line.First.Length == 0) findings.Error(line, "invalid zone name \"\"");
        else if (line.Arguments.Length == 1) _groups.TryAdd(line.First, (0, line));
        else if (!NginxValues.TrySize(line.Arguments[1], offset: false, out var size)) findings.Error(line, $"invalid zone size \"{line.Arguments[1]}\"");
        else if (size < Smallest) findings.Error(line, $"zone \"{line.First}\" is too small");
        else if (_groups.TryGetValue(line.First, out var known) && known.Size > 0 && known.Size != size)
            findings.Error(line, $"the size {size} of shared memory zone \"{line.First}\" conflicts with already declared size {known.Size}");
        else _groups[line.First] = (size, line);
    }

    /// <summary>The zone of a group's sticky learn.</summary>
    public void Sessions(string zone, NginxDirective upstream)
    {
        if (_groups.ContainsKey(zone)) findings.Error(upstream, $"the shared memory zone \"{zone}\" is already declared for a different use");
        else if (!_sessions.TryAdd(zone, upstream.First)) findings.Error(upstream, $"sticky zone \"{zone}\" is already used in upstream \"{_sessions[zone]}\"");
    }

    /// <summary>To be called when all upstreams were read.</summary>
    public void Finish()
    {
        foreach (var (name, (_, line)) in _groups.Where(zone => zone.Value.Size == 0)) findings.Error(line, $"zero size shared memory zone \"{name}\"");
    }
}
