namespace StickyIngress.Tests;

/// <summary>A directory of manifests that a test writes and the process follows.</summary>
public sealed class Manifests : IDisposable
{
    /// <summary>An upstream for /queued whose only server takes no new clients, so that each request waits in its queue until it is refused.</summary>
    public const string FullQueue = """
        apiVersion: stickyingress.io/v1alpha1
        kind: StickyUpstream
        metadata: { name: queued }
        spec:
          routes: [{ paths: [{ path: /queued }] }]
          servers: [{ name: s, address: "127.0.0.1:1", drain: true }]
          queue: { size: 1, timeout: 10ms }
        """;

    private Manifests(string folder) => Folder = folder;

    public string Folder { get; }

    /// <summary>A new directory with the documents in one file, upstreams.yaml.</summary>
    public static Manifests With(params string[] documents)
    {
        var manifests = new Manifests(Directory.CreateTempSubdirectory("sticky-").FullName);
        if (documents.Length > 0) manifests.Write("upstreams.yaml", documents);
        return manifests;
    }

    /// <summary>An upstream for every path below /NAME, or for every path where <paramref name="path"/> says so.</summary>
    /// <param name="servers">Addresses, each with what else is to be said of the server, such as <c>127.0.0.1:80, weight: 2</c>.</param>
    /// <param name="more">Further lines of the spec.</param>
    public static string Upstream(string name, IEnumerable<string> servers, string more = "", string? path = null)
    {
        var lines = servers.Select((server, i) =>
        {
            var comma = server.IndexOf(", ", StringComparison.Ordinal);
            var (address, rest) = comma < 0 ? (server, "") : (server[..comma], server[comma..]);
            return $"  - {{ name: s{i}, address: \"{address}\"{rest} }}\n";
        });
        return $$"""
            apiVersion: stickyingress.io/v1alpha1
            kind: StickyUpstream
            metadata: { name: {{name}} }
            spec:
              routes: [{ paths: [{ path: "{{path ?? "/" + name}}" }] }]
              servers:
            {{string.Concat(lines)}}
            """ + string.Concat(more.Split('\n').Select(line => "  " + line + "\n"));
    }

    public string PathOf(string file) => Path.Combine(Folder, file);

    public void Write(string file, params string[] documents) => File.WriteAllText(PathOf(file), string.Join("\n---\n", documents));

    /// <summary>As editors and rsync write: beside it, then renamed over it.</summary>
    public void Replace(string file, params string[] documents)
    {
        Write("." + file + ".new", documents);
        File.Move(PathOf("." + file + ".new"), PathOf(file), overwrite: true);
    }

    public void Delete(string file) => File.Delete(PathOf(file));

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
