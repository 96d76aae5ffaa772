using StickyIngress.Api;
using StickyIngress.Import;

namespace StickyIngress.Commands;

/// <summary><c>sticky-ingress import-nginx</c>: an nginx configuration as StickyUpstreams, and what of it they cannot say.</summary>
internal static class ImportNginxCommand
{
    public static async Task<int> RunAsync(string file, string @namespace, bool strict, TextWriter output, TextWriter error)
    {
        var findings = new ImportFindings();
        var upstreams = NginxParser.Load(file, findings) is { } directives ? NginxImport.Read(directives, @namespace, findings) : [];
        var documents = Documents(upstreams, file, findings);
        foreach (var finding in findings.All) await error.WriteLineAsync(finding.ToString());

        var errors = findings.Count(FindingKind.Error);
        var left = findings.Count(FindingKind.NoCounterpart);
        await error.WriteLineAsync($"{documents.Count} upstreams, {errors} errors, {left} without counterpart, {findings.Count(FindingKind.Warning)} warnings");
        if (errors > 0) return 1;

        await output.WriteAsync(string.Join("---\n", documents));
        return strict && left > 0 ? 1 : 0;
    }

    /// <summary>The resources as YAML. One that would not be read back (a name too long, too many servers) is told instead of written.</summary>
    private static List<string> Documents(IReadOnlyList<StickyUpstream> upstreams, string file, ImportFindings findings)
    {
        var documents = new List<string>();
        foreach (var upstream in upstreams)
        {
            var yaml = ResourceYaml.Write(upstream);
            var mistakes = ResourceYaml.Read(yaml, file).Errors;
            foreach (var mistake in mistakes) findings.Error(file, 0, $"{upstream.Metadata.Name} cannot be said here: {mistake.Field}: {mistake.Message}");
            if (mistakes.Count == 0) documents.Add(yaml);
        }

        return documents;
    }
}
