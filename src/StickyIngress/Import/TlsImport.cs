namespace StickyIngress.Import;

/// <summary>The certificates of <c>server</c> blocks, and the servers that only send plain http to https.</summary>
internal sealed class TlsImport(ImportFindings findings)
{
    private static readonly string[] ToHttps = ["https://$host$request_uri", "https://$http_host$request_uri", "https://$server_name$request_uri"];

    private readonly List<Certificate> _certificates = [];
    private readonly List<Redirect> _redirects = [];

    /// <summary>The server, or its location /, returns nothing but the same address with https.</summary>
    public static NginxDirective? FindRedirect(NginxDirective server)
    {
        if (ListensByTls(server) || Passes(server)) return null;

        var root = server.Inside.FirstOrDefault(line => line is { Name: "location", Arguments: ["/"] });
        return server.Inside.Concat(root?.Inside ?? []).FirstOrDefault(line =>
            line is { Name: "return", Arguments: ["301" or "302" or "303" or "307" or "308", var address] } && ToHttps.Contains(address));
    }

    public void AddRedirect(NginxDirective line, IReadOnlyList<IReadOnlyList<string>> hosts) => _redirects.Add(new(line, hosts));

    public void AddCertificate(NginxDirective server, Scope scope, ServerLocations locations)
    {
        var certificates = scope.Nearest("ssl_certificate");
        if (certificates.Count == 0 || !ListensByTls(server)) return;

        foreach (var more in certificates.Skip(1)) findings.NoCounterpart(more, "a host has one certificate");
        if (locations.Upstreams.Count == 0)
        {
            findings.NoCounterpart(certificates[0], "its server leads to no upstream");
            return;
        }

        var names = locations.Hosts.SelectMany(list => list).ToList();
        var secret = ResourceNames.From((names.Count > 0 ? names[0] : server.File) + "-tls");
        var key = scope.Nearest("ssl_certificate_key") is [var first, ..] ? first.First : certificates[0].First;
        findings.ToDo(certificates[0], $"make the Secret: kubectl create secret tls {secret} --cert={certificates[0].First} --key={key}");
        _certificates.Add(new([.. locations.Upstreams.Distinct()], names, secret));
    }

    /// <summary>To be called when all servers were read: writes <c>spec.tls</c> of the upstreams.</summary>
    public void Finish()
    {
        foreach (var (upstreams, names, secret) in _certificates)
        {
            var redirected = names.Where(name => _redirects.Any(redirect => redirect.Covers(name))).ToList();
            if (redirected.Count > 0 || (names.Count == 0 && _redirects.Any(redirect => redirect.IsForAll)))
            {
                foreach (var upstream in upstreams) upstream.Tls.Add(new() { Hosts = redirected, SecretName = secret, Redirect = true });
                if (redirected.Count == names.Count) continue;
            }

            upstreams[0].Tls.Add(new() { Hosts = [.. names.Except(redirected)], SecretName = secret });
        }

        foreach (var redirect in _redirects)
        {
            if (!_certificates.Any(certificate => certificate.Names.Any(redirect.Covers) || redirect.IsForAll))
                findings.NoCounterpart(redirect.Line, "no server with a certificate has its names");
            else if (redirect.Line.First != "308")
                findings.Warn(redirect.Line, "plain http is answered with 308 here");
        }
    }

    private static bool ListensByTls(NginxDirective server) => server.Inside.Any(line => line.Name == "listen" && line.Arguments.Contains("ssl"));

    private static bool Passes(NginxDirective block) => block.Inside.Any(line => line.Name is "proxy_pass" or "grpc_pass" || Passes(line));

    private sealed record Certificate(IReadOnlyList<UpstreamDraft> Upstreams, IReadOnlyList<string> Names, string Secret);

    private sealed record Redirect(NginxDirective Line, IReadOnlyList<IReadOnlyList<string>> Hosts)
    {
        public bool IsForAll => Hosts.Any(list => list.Count == 0);

        public bool Covers(string name) => IsForAll || Hosts.Any(list => list.Contains(name, StringComparer.OrdinalIgnoreCase));
    }
}
