using System.Diagnostics;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;

namespace StickyIngress.Testing.ApiServers;

/// <summary>An administrator of a real API server, by kubectl and by requests of our own.</summary>
public sealed class AdminClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly IReadOnlyList<string> _kubectl;
    private readonly string _folder;

    /// <param name="kubectl">The command with its first arguments, by which it is this administrator.</param>
    public AdminClient(Uri address, ApiServerKeys keys, params IReadOnlyList<string> kubectl)
    {
        (_kubectl, _folder) = (kubectl, keys.Folder);
        var authority = X509CertificateLoader.LoadCertificateFromFile(keys.Authority);
        _http = new(new SocketsHttpHandler
        {
            UseProxy = false,
            SslOptions = new()
            {
                ClientCertificates = [X509Certificate2.CreateFromPemFile(keys.AdminCertificate, keys.AdminKey)],
                CertificateChainPolicy = new() { TrustMode = X509ChainTrustMode.CustomRootTrust, CustomTrustStore = { authority }, RevocationMode = X509RevocationMode.NoCheck },
            },
        })
        { BaseAddress = address };
    }

    public async Task<bool> IsReadyAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.GetAsync("/readyz", cancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false; // not listening yet
        }
    }

    /// <summary>Runs kubectl with that on its standard input.</summary>
    public Task<(int Code, string Said)> KubectlAsync(string input, params IReadOnlyList<string> arguments) => RunAsync(input, arguments, null);

    /// <summary>The same for what must succeed; what it said.</summary>
    public Task<string> MustAsync(string input, params IReadOnlyList<string> arguments) => MustAsync(input, arguments, null);

    /// <summary>kubectl edit, by a person who changes what that sed expression says.</summary>
    public async Task EditAsync(string expression, params IReadOnlyList<string> arguments)
    {
        var editor = Path.Combine(_folder, "editor.sh");
        await File.WriteAllTextAsync(editor, $"sed -i '{expression}' \"$1\"\n");
        await MustAsync("", ["edit", .. arguments], $"sh {editor}");
    }

    public async Task PutAsync(JsonObject given)
    {
        var path = PathOf((string)given["kind"]!, FakeObjects.Namespace(given), FakeObjects.Name(given));
        await ApplyAsync(path, given);
        if (given["status"] is not null) await ApplyAsync(path + "/status", given);
    }

    /// <summary>As Kubernetes' own controllers update, without a version that it has to be.</summary>
    public async Task ReplaceAsync(JsonObject given)
    {
        var path = PathOf((string)given["kind"]!, FakeObjects.Namespace(given), FakeObjects.Name(given));
        using var content = new StringContent(given.ToJsonString(), Encoding.UTF8, "application/json");
        using var response = await _http.PutAsync(path, content);
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"{path} is not replaced: {await response.Content.ReadAsStringAsync()}");
    }

    public async Task DeleteAsync(string kind, string space, string name)
    {
        using var response = await _http.DeleteAsync(PathOf(kind, space, name));
        if (response.StatusCode != HttpStatusCode.NotFound) response.EnsureSuccessStatusCode();
    }

    /// <summary>Deletes all of that kind in the namespace.</summary>
    public async Task DeleteAllAsync(string kind, string space)
    {
        using var response = await _http.DeleteAsync(PathOf(kind, space, ""));
        response.EnsureSuccessStatusCode();
    }

    public async Task<JsonObject?> FindAsync(string kind, string space, string name)
    {
        using var response = await _http.GetAsync(PathOf(kind, space, name));
        if (response.StatusCode == HttpStatusCode.NotFound) return null;

        response.EnsureSuccessStatusCode();
        return JsonNode.Parse(await response.Content.ReadAsStringAsync())!.AsObject();
    }

    public async Task<IReadOnlyList<JsonObject>> ListAsync(string kind, string space)
    {
        var page = await _http.GetStringAsync(PathOf(kind, space, ""));
        return [.. JsonNode.Parse(page)!["items"]!.AsArray().Select(item => item!.AsObject())];
    }

    /// <summary>Makes the namespaces and applies the manifests, our CRD among them.</summary>
    public async Task PrepareAsync(IEnumerable<string> namespaces, IEnumerable<string> manifests)
    {
        foreach (var space in namespaces) await MustAsync("", "create", "namespace", space);
        foreach (var manifest in manifests) await MustAsync(manifest, "apply", "--server-side", "-f", "-");
        await MustAsync("", "wait", "--for=condition=Established", "crd/stickyupstreams.stickyingress.io", "--timeout=60s");
    }

    /// <summary>Empties the namespace of what tests put there, and frees the Lease of a controller that was killed.</summary>
    public async Task ClearAsync(string space)
    {
        await DeleteAllAsync("Lease", RealApiServer.ControllerNamespace);
        foreach (var kind in (string[])["StickyUpstream", "Ingress", "EndpointSlice", "Secret"]) await DeleteAllAsync(kind, space);

        // Services cannot be deleted as a whole.
        await MustAsync("", "delete", "services", "--all", "--namespace", space, "--wait=false");
        await MustAsync("", "delete", "ingressclasses", "--all");
    }

    /// <summary>A token of that service account.</summary>
    public async Task<string> TokenAsync(string account, string space) =>
        (await MustAsync("", "create", "token", account, "--namespace", space, "--duration", "24h")).Trim();

    public void Dispose() => _http.Dispose();

    private async Task<string> MustAsync(string input, IReadOnlyList<string> arguments, string? editor)
    {
        var (code, said) = await RunAsync(input, arguments, editor);
        return code == 0 ? said : throw new InvalidOperationException($"kubectl {string.Join(' ', arguments)} ended with {code}: {said}");
    }

    private async Task<(int Code, string Said)> RunAsync(string input, IReadOnlyList<string> arguments, string? editor)
    {
        var start = new ProcessStartInfo(_kubectl[0], [.. _kubectl.Skip(1), .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (editor is not null) start.Environment["KUBE_EDITOR"] = editor;
        using var process = Process.Start(start)!;
        var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        return (process.ExitCode, string.Concat(await said));
    }

    private async Task ApplyAsync(string path, JsonObject given)
    {
        using var content = new StringContent(given.ToJsonString(), Encoding.UTF8);
        content.Headers.ContentType = new("application/apply-patch+yaml");
        using var response = await _http.PatchAsync(path + "?fieldManager=test&force=true", content);
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"{path} is not applied: {await response.Content.ReadAsStringAsync()}");
    }

    private static string PathOf(string kind, string space, string name)
    {
        var resource = FakeResource.OfKind(kind);
        var group = resource.Group.Length == 0 ? $"/api/{resource.Version}" : $"/apis/{resource.ApiVersion}";
        return $"{group}{(resource.Namespaced ? $"/namespaces/{space}" : "")}/{resource.Plural}/{name}".TrimEnd('/');
    }
}

/// <summary>Files by which clients find a server.</summary>
public static class Kubeconfigs
{
    /// <param name="user">Fields of the user, in flow style.</param>
    public static string Text(Uri address, string authority, string user) => $$"""
        apiVersion: v1
        kind: Config
        clusters: [{ name: test, cluster: { server: "{{address}}", certificate-authority: "{{authority}}" } }]
        users: [{ name: test, user: { {{user}} } }]
        contexts: [{ name: test, context: { cluster: test, user: test } }]
        current-context: test
        """;
}
