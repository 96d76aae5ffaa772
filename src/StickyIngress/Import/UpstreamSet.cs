using StickyIngress.Api;
using StickyIngress.Control.Compilation;

namespace StickyIngress.Import;

/// <summary>The upstreams of a configuration by name: its blocks, and the addresses that proxy_pass names directly.</summary>
internal sealed class UpstreamSet(ImportFindings findings, ImportVariables variables, Scope http)
{
    private readonly Dictionary<string, UpstreamDraft> _byName = new(StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, UpstreamDraft> _byAddress = [];
    private readonly List<UpstreamDraft> _all = [];
    private readonly ResourceNames _names = new();
    private readonly ZoneImport _zones = new(findings);

    public void Add(NginxDirective block)
    {
        if (block.Block is null || block.Arguments.Length != 1)
        {
            findings.Error(block, "invalid number of arguments in \"upstream\" directive");
            return;
        }

        var draft = new UpstreamDraft(_names.Add(block.First), block);
        if (!_byName.TryAdd(block.First, draft)) findings.Error(block, $"duplicate upstream \"{block.First}\"");

        foreach (var zone in block.Inside.Where(line => line.Name == "zone")) _zones.Group(zone);
        new UpstreamImport(findings, variables, http, draft).Read();
        _all.Add(draft);
    }

    /// <summary>To be called when all blocks were added.</summary>
    public void FinishBlocks()
    {
        foreach (var draft in _all)
            if (draft.Spec.Sticky?.Learn?.Zone is { } zone) _zones.Sessions(zone.Name, draft.At);

        _zones.Finish();
    }

    /// <summary>The upstream that a proxy_pass means; null after an error.</summary>
    public UpstreamDraft? Find(ProxyTarget target)
    {
        if (_byName.TryGetValue(target.Host, out var named)) return named;
        if (!_byName.ContainsKey(target.Name)) return Direct(target);

        findings.Error(target.Line, $"upstream \"{target.Name}\" may not have port {target.Literals["proxy_port"]}");
        return null;
    }

    public IReadOnlyList<StickyUpstream> ToResources(string @namespace)
    {
        foreach (var empty in _all.Where(draft => draft.Spec.Servers.Count == 0 && findings.Count(FindingKind.Error) == 0))
            findings.NoCounterpart(empty.At with { Block = null }, "there is no server to write down");

        return [.. _all.Where(draft => draft.Spec.Servers.Count > 0).Select(draft => draft.ToResource(@namespace))];
    }

    /// <summary>An address alone is a group of one that keeps no connections, as in nginx.</summary>
    private UpstreamDraft? Direct(ProxyTarget target)
    {
        if (!ServerAddress.TryParse(target.Host, out var address, out var wrong))
        {
            findings.Error(target.Line, $"{wrong} in upstream \"{target.Host}\"");
            return null;
        }

        var hasPort = address.UnixPath is not null || target.Name.Length < target.Host.Length;
        var text = hasPort || !target.IsTls ? target.Host : $"{target.Host}:443";
        if (_byAddress.TryGetValue(text, out var known)) return known;

        var draft = new UpstreamDraft(_names.Add(text), target.Line);
        draft.Spec = new()
        {
            Servers = [new() { Name = ResourceNames.From(text), Address = text }],
            Keepalive = new() { Connections = 0 },
        };
        _byAddress.Add(text, draft);
        _all.Add(draft);
        return draft;
    }
}
