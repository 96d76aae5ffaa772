using StickyIngress.Control.Sources;
using StickyIngress.Core.Upstreams;
using StickyIngress.Settings;

namespace StickyIngress;

/// <summary>
/// Keeps what is changed at run time over a restart: reads the state file before anything serves, and writes it with each change, before
/// whoever made the change has an answer. A change that cannot be kept is in force all the same.
/// </summary>
internal sealed class StateKeeper(PeerOverridesHolder overrides, ServeSettings settings, ILogger<StateKeeper> logger) : LifecycleService
{
    private readonly StateFile? _file = settings.State is { } path ? new(path) : null;
    private volatile string? _trouble;

    /// <summary>Why the file does not hold what was changed; null: it does, or there is none.</summary>
    public string? Trouble => _trouble;

    public override Task StartingAsync(CancellationToken cancellationToken)
    {
        if (_file is null) return Task.CompletedTask;

        overrides.Restore(_file.Read());
        _trouble = _file.Trouble;
        if (_trouble is null) Log.StateRead(logger, settings.State!, overrides.Current.Count);
        else Log.StateRefused(logger, _trouble);

        overrides.Changed += (_, _) => Write();
        return Task.CompletedTask;
    }

    private void Write()
    {
        try
        {
            _file!.Write(overrides.Current);
            _trouble = null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _trouble = e.Message;
            Log.StateNotWritten(logger, settings.State!, e.Message);
        }
    }
}
