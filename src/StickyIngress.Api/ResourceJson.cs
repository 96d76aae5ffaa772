using StickyIngress.Api.Reading;

namespace StickyIngress.Api;

/// <summary>Reads a StickyUpstream as the API server sends it, as strictly as from a file.</summary>
public static class ResourceJson
{
    /// <summary>
    /// Reads one object; kind and apiVersion may be absent, as in the items of a list. Unlike from a file, its status is read too.
    /// </summary>
    public static ReadResult ReadStickyUpstream(ReadOnlySpan<byte> utf8Json)
    {
        var findings = new Findings();
        var resources = new List<Resource>();
        try
        {
            var root = JsonNodes.Read(utf8Json);
            if (root.Kind == NodeKind.Map) new ResourceReader(findings, resources, null).ReadStickyUpstream(root);
            else findings.WrongType(root, "an object");
            return new ReadResult(resources, findings.All);
        }
        catch (SyntaxException e)
        {
            return Unreadable(e, "the object is not valid JSON");
        }
    }

    internal static ReadResult Unreadable(SyntaxException e, string what) =>
        new([], [new ReadError(ReadSeverity.Error, ReadReasons.InvalidYaml, null, "", $"{what}: {e.Message}", e.Line, e.Column)]);
}
