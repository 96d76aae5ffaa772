using System.Diagnostics;
using System.Text;

namespace StickyIngress.Testing.Rollout;

/// <summary>
/// HAProxy with a cookie of its own, in master-worker mode, reloaded at each change with its listeners handed over.
/// </summary>
public sealed class HaproxyProcess : IRolloutProxy
{
    public const string Executable = "/usr/sbin/haproxy";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rollout-");
    private readonly bool _drains;
    private Process? _process;

    /// <param name="drains">Terminating pods stay with weight 0, for their clients; else they are left out, as by who asks for ready pods.</param>
    public HaproxyProcess(bool drains)
    {
        _drains = drains;
        Address = new($"http://127.0.0.1:{FreePort.Next()}");
    }

    public Uri Address { get; }

    private string Configuration => Path.Combine(_folder.FullName, "haproxy.cfg");

    public async Task ApplyAsync(IReadOnlyList<Pod> pods)
    {
        await File.WriteAllTextAsync(Configuration, Write(pods));
        if (_process is null)
        {
            _process = Process.Start(new ProcessStartInfo(Executable) { ArgumentList = { "-W", "-q", "-f", Configuration } });
            return;
        }

        using var reload = Process.Start("kill", ["-USR2", _process.Id.ToString()]);
        await reload.WaitForExitAsync();
    }

    public Task<string> BreaksAsync() => Task.FromResult("");

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            using var stop = Process.Start("kill", ["-TERM", _process.Id.ToString()]);
            await stop.WaitForExitAsync();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    private string Write(IReadOnlyList<Pod> pods)
    {
        var text = new StringBuilder($"""
            global
              maxconn 4000
              nbthread 2
              stats socket {_folder.FullName}/socket mode 600 level admin expose-fd listeners
            defaults
              mode http
              option redispatch
              retries 3
              timeout connect 5s
              timeout client 60s
              timeout server 60s
            frontend http
              bind 127.0.0.1:{Address.Port}
              default_backend shop
            backend shop
              balance roundrobin
              cookie srv_id insert indirect nocache httponly

            """);
        foreach (var pod in pods.Where(pod => !pod.IsGone && (_drains || !pod.IsTerminating)))
            text.AppendLine($"  server {pod.Name} {pod.EndPoint} cookie {pod.Name} weight {(pod.IsTerminating ? 0 : 1)}");
        return text.ToString();
    }
}
