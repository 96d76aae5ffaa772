using System.Diagnostics;
using System.Text;

namespace StickyIngress.Testing.Rollout;

/// <summary>
/// HAProxy in master-worker mode, reloaded at each change with its listeners handed over; with a cookie of its own, or learning the
/// application's sessions into a stick table, which the next worker gets from the one before through a peer that is itself.
/// </summary>
public sealed class HaproxyProcess : IRolloutProxy
{
    public const string Executable = "/usr/sbin/haproxy";

    /// <summary>A worker that has waited for tables of others for less than twice five seconds gives its own to nobody.</summary>
    private static readonly TimeSpan TablesSettle = TimeSpan.FromSeconds(11);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("rollout-");
    private readonly RolloutMode _mode;
    private readonly bool _drains;
    private readonly int _peerPort = FreePort.Next();
    private Process? _process;

    /// <param name="mode">Cookie or Learn.</param>
    /// <param name="drains">Terminating pods stay with weight 0, for their clients; else they are left out, as by who asks for ready pods.</param>
    public HaproxyProcess(RolloutMode mode, bool drains)
    {
        (_mode, _drains) = (mode, drains);
        Address = new($"http://127.0.0.1:{FreePort.Next()}");
    }

    public Uri Address { get; }

    private string Configuration => Path.Combine(_folder.FullName, "haproxy.cfg");

    public async Task ApplyAsync(IReadOnlyList<Pod> pods)
    {
        await File.WriteAllTextAsync(Configuration, Write(pods));
        if (_process is null)
        {
            _process = Process.Start(new ProcessStartInfo(Executable) { ArgumentList = { "-W", "-q", "-L", "self", "-f", Configuration } });
            if (_mode == RolloutMode.Learn) await Task.Delay(TablesSettle);
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

    private string Sticky => _mode == RolloutMode.Learn
        ? """
              stick-table type string len 64 size 100k expire 10m peers mesh
              stick on req.cook(sid)
              stick store-response res.cook(sid)
            """
        : "  cookie srv_id insert indirect nocache httponly";

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
            peers mesh
              peer self 127.0.0.1:{_peerPort}
            frontend http
              bind 127.0.0.1:{Address.Port}
              default_backend shop
            backend shop
              balance roundrobin
            {Sticky}

            """);
        foreach (var pod in pods.Where(pod => !pod.IsGone && (_drains || !pod.IsTerminating)))
            text.AppendLine($"  server {pod.Name} {pod.EndPoint} {Identity(pod)} weight {(pod.IsTerminating ? 0 : 1)}");
        return text.ToString();
    }

    /// <summary>
    /// The table looks for a server by its name and, when that is gone, by its id. Without one of its own a server has its place in the list as
    /// its id, so the sessions of a first server that is gone would all go to the one that is first now.
    /// </summary>
    private string Identity(Pod pod) => _mode == RolloutMode.Learn ? $"id {pod.Number}" : $"cookie {pod.Name}";
}
