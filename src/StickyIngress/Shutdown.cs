using StickyIngress.Settings;

namespace StickyIngress;

/// <summary>
/// Stops without losing a request: not ready at once, then a grace in which new connections still work, since load balancers take a moment
/// to notice; then the server takes no more and running requests end. All this comes before anything is stopped.
/// </summary>
internal sealed class Shutdown(Readiness readiness, ServeSettings settings, TimeProvider time, ILogger<Shutdown> logger) : LifecycleService
{
    public override async Task StoppingAsync(CancellationToken cancellationToken)
    {
        readiness.Stop();
        Log.Stopping(logger, settings.ShutdownGrace, settings.DrainTimeout);
        if (settings.ShutdownGrace > TimeSpan.Zero) await Task.Delay(settings.ShutdownGrace, time, cancellationToken);
    }
}
