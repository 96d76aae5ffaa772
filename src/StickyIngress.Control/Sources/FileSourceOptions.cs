namespace StickyIngress.Control.Sources;

/// <summary>Which folders are read and how soon a change is followed.</summary>
public sealed record FileSourceOptions
{
    /// <summary>Folders with manifests; what stands in their subfolders is not read.</summary>
    public required IReadOnlyList<string> Folders { get; init; }

    /// <summary>How long nothing may change before a change is read, so that an edit of several files is read as one.</summary>
    public TimeSpan Quiet { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How long a change waits at most while others keep coming.</summary>
    public TimeSpan Ceiling { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How often the folders are looked through in case the operating system told nothing, as on some network mounts.</summary>
    public TimeSpan Poll { get; init; } = TimeSpan.FromSeconds(5);
}
