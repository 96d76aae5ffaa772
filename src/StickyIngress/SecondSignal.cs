using System.Runtime.InteropServices;

namespace StickyIngress;

/// <summary>The first signal asks to stop in order, which the host does; whoever sends a second one will not wait: the process ends at once.</summary>
internal sealed class SecondSignal : IDisposable
{
    private readonly PosixSignalRegistration[] _registrations;
    private int _signals;

    public SecondSignal() => _registrations =
        [PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Count(context, 2)), PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Count(context, 15))];

    public void Dispose()
    {
        foreach (var registration in _registrations) registration.Dispose();
    }

    /// <summary>Ends with the exit code that shells give to a process that a signal ended.</summary>
    private void Count(PosixSignalContext context, int number)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _signals) > 1) Environment.Exit(128 + number);
    }
}
