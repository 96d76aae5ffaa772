using System.Runtime.InteropServices;
using StickyIngress.Settings;

namespace StickyIngress;

/// <summary>
/// Stops without losing a request: not ready at once, then a grace in which new connections still work, since load balancers take a moment
/// to notice, and in which every answer asks its client to close; then the server takes no more and running requests end. The grace is
/// before anything is stopped. A second signal ends the process at once.
/// </summary>
internal sealed class Shutdown(Readiness readiness, ServeSettings settings, TimeProvider time, ILogger<Shutdown> logger)
    : IHostedLifecycleService, IDisposable
{
    private readonly List<PosixSignalRegistration> _second = [];

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        readiness.Stop();
        EndAtOnceOn(PosixSignal.SIGTERM, 15);
        EndAtOnceOn(PosixSignal.SIGINT, 2);
        Log.Stopping(logger, settings.ShutdownGrace, settings.DrainTimeout);
        if (settings.ShutdownGrace > TimeSpan.Zero) await Task.Delay(settings.ShutdownGrace, time, cancellationToken);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        foreach (var registration in _second) registration.Dispose();
    }

    private void EndAtOnceOn(PosixSignal signal, int number) =>
        _second.Add(PosixSignalRegistration.Create(signal, _ => Environment.Exit(128 + number)));
}
