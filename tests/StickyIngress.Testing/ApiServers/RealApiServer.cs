using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json.Nodes;

namespace StickyIngress.Testing.ApiServers;

/// <summary>
/// A kube-apiserver with its etcd, from the folder that KUBEBUILDER_ASSETS names (as setup-envtest fills it): TLS, certificates for the
/// administrator, tokens of service accounts for the controller, and RBAC. No controllers run, so Services get no endpoints but those that are put.
/// </summary>
public sealed class RealApiServer : ITestApiServer
{
    /// <summary>Its controller's own namespace.</summary>
    public const string ControllerNamespace = "sticky-ingress";

    private const string Variable = "KUBEBUILDER_ASSETS";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sticky-apiserver-");
    private readonly ApiServerKeys _keys;
    private readonly string _assets;
    private readonly int _etcdPort = FreePort.Next();
    private readonly Uri _address = new($"https://127.0.0.1:{FreePort.Next()}");
    private Process? _etcd;
    private Process? _server;

    private RealApiServer(string assets)
    {
        _assets = assets;
        _keys = ApiServerKeys.Create(_folder.FullName);
        AdminKubeconfig = Path.Combine(_folder.FullName, "admin.kubeconfig");
        File.WriteAllText(AdminKubeconfig, Kubeconfigs.Text(_address, _keys.Authority, $"client-certificate: {_keys.AdminCertificate}, client-key: {_keys.AdminKey}"));
        Admin = new(_address, _keys, Path.Combine(assets, "kubectl"), "--kubeconfig", AdminKubeconfig);
    }

    public AdminClient Admin { get; }

    /// <summary>The file by which other programs are the administrator.</summary>
    public string AdminKubeconfig { get; }

    public string Kubeconfig { get; private set; } = "";

    /// <summary>The folder with the programs; false with the reason where there is none.</summary>
    public static bool TryFind([NotNullWhen(true)] out string? assets, [NotNullWhen(false)] out string? reason)
    {
        var named = assets = Environment.GetEnvironmentVariable(Variable);
        if (string.IsNullOrEmpty(named))
        {
            reason = $"{Variable} is not set; it must name a folder with kube-apiserver, etcd and kubectl";
            return false;
        }

        var missing = ((string[])["kube-apiserver", "etcd", "kubectl"]).FirstOrDefault(program => !File.Exists(Path.Combine(named, program)));
        reason = missing is null ? null : $"{Variable} is {named}, where there is no {missing}";
        return reason is null;
    }

    /// <param name="manifests">What is applied before anything else: the CRD and the controller's role, files or folders.</param>
    /// <param name="account">The service account, in <see cref="ControllerNamespace"/>, that the controller is.</param>
    public static async Task<RealApiServer> StartAsync(string assets, IEnumerable<string> manifests, string account = "sticky-ingress")
    {
        var server = new RealApiServer(assets);
        try
        {
            server._etcd = server.Run("etcd", [
                "--data-dir", Path.Combine(server._folder.FullName, "etcd"), "--unsafe-no-fsync",
                "--listen-client-urls", $"http://127.0.0.1:{server._etcdPort}", "--advertise-client-urls", $"http://127.0.0.1:{server._etcdPort}",
                "--listen-peer-urls", "http://127.0.0.1:0"]);
            await server.UpAsync();
            await server.PrepareAsync(manifests, account);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public Task PutAsync(JsonObject given) => Admin.PutAsync(given);

    public Task ReplaceAsync(JsonObject given) => Admin.ReplaceAsync(given);

    public Task DeleteAsync(string kind, string space, string name) => Admin.DeleteAsync(kind, space, name);

    public Task<JsonObject?> FindAsync(string kind, string space, string name) => Admin.FindAsync(kind, space, name);

    public Task<IReadOnlyList<JsonObject>> ListAsync(string kind, string space) => Admin.ListAsync(kind, space);

    public async Task DownAsync()
    {
        await EndAsync(_server);
        _server = null;
    }

    public async Task UpAsync()
    {
        if (_server is not null) return;

        _server = Run("kube-apiserver", [
            $"--etcd-servers=http://127.0.0.1:{_etcdPort}", $"--secure-port={_address.Port}", "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none", $"--cert-dir={_folder.FullName}", $"--tls-cert-file={_keys.ServerCertificate}",
            $"--tls-private-key-file={_keys.ServerKey}", $"--client-ca-file={_keys.Authority}", "--authorization-mode=RBAC",
            "--service-account-issuer=https://kubernetes.default.svc", $"--service-account-key-file={_keys.TokenKey}",
            $"--service-account-signing-key-file={_keys.TokenKey}", "--service-cluster-ip-range=10.0.0.0/16",
            "--disable-admission-plugins=ServiceAccount", "--allow-privileged=true"]);
        using var patience = new CancellationTokenSource(Patience);
        while (!await Admin.IsReadyAsync(patience.Token))
        {
            if (_server.HasExited) throw new InvalidOperationException($"kube-apiserver ended with {_server.ExitCode}: {LastWords("kube-apiserver")}");

            await Task.Delay(TimeSpan.FromMilliseconds(100), patience.Token);
        }
    }

    /// <summary>A kubeconfig of that service account.</summary>
    public async Task<string> KubeconfigOfAsync(string account) =>
        Kubeconfigs.Text(_address, _keys.Authority, $"token: \"{await Admin.TokenAsync(account, ControllerNamespace)}\"");

    public async ValueTask DisposeAsync()
    {
        await EndAsync(_server);
        await EndAsync(_etcd);
        Admin.Dispose();
        _folder.Delete(recursive: true);
    }

    private async Task PrepareAsync(IEnumerable<string> manifests, string account)
    {
        await Admin.PrepareAsync([ControllerNamespace, "web"], [.. manifests.SelectMany(Files).Select(File.ReadAllText)]);
        Kubeconfig = await KubeconfigOfAsync(account);
    }

    private static IEnumerable<string> Files(string manifest) => Directory.Exists(manifest) ? Directory.EnumerateFiles(manifest).Order() : [manifest];

    /// <summary>Through a shell, so that it writes to a file and not to us.</summary>
    private Process Run(string program, IEnumerable<string> arguments) => Process.Start(new ProcessStartInfo(
        "sh", ["-c", "exec \"$@\" >>\"$0\" 2>&1", Path.Combine(_folder.FullName, program + ".log"), Path.Combine(_assets, program), .. arguments]))!;

    private string LastWords(string program) => string.Join('\n', File.ReadLines(Path.Combine(_folder.FullName, program + ".log")).TakeLast(20));

    private static async Task EndAsync(Process? process)
    {
        if (process is null) return;

        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
