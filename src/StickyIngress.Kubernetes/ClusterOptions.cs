using StickyIngress.Control.Compilation;

namespace StickyIngress.Kubernetes;

/// <summary>What of a cluster is watched, and how its status is written.</summary>
public sealed class ClusterOptions
{
    /// <summary>Namespaces that are watched, each by itself so that Roles suffice; empty: the whole cluster.</summary>
    public IReadOnlyList<string> Namespaces { get; set; } = [];

    /// <summary>Our IngressClass. Decides whose Secrets are read, by the rule of the compiler.</summary>
    public string IngressClass { get; set; } = "sticky";

    /// <summary>What the compiler is to know of it.</summary>
    public CompilerOptions Compiler => new() { IngressClass = IngressClass, Namespaced = Namespaces.Count > 0 };

    /// <summary>The Service whose addresses are written into the status of our Ingresses, as <c>namespace/name</c>; null: none.</summary>
    public string? PublishedService { get; set; }

    /// <summary>Whether a Lease decides which replica writes status. Off: this one does.</summary>
    public bool LeaderElection { get; set; } = true;

    /// <summary>This replica's name: holder of the Lease and reporter of Events.</summary>
    public string PodName { get; set; } = "sticky-ingress";

    /// <summary>Where the Lease is.</summary>
    public string PodNamespace { get; set; } = "default";

    public string LeaseName { get; set; } = "sticky-ingress";

    /// <summary>A change waits this long for others to come with it.</summary>
    public TimeSpan Quiet { get; set; } = TimeSpan.FromMilliseconds(2);

    /// <summary>While changes keep coming, a set is handed out at least this often.</summary>
    public TimeSpan Ceiling { get; set; } = TimeSpan.FromMilliseconds(50);

    public WatchTimes Watch { get; set; } = new();

    public LeaseTimes Lease { get; set; } = new();

    public StatusRates Status { get; set; } = new();
}

/// <summary>How long the parts of a watch may take.</summary>
public sealed record WatchTimes
{
    /// <summary>Objects per page of a list.</summary>
    public int PageSize { get; init; } = 500;

    /// <summary>Until a list or watch is answered at all.</summary>
    public TimeSpan Answer { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>A stream without a byte for so long is cut. Bookmarks come about once a minute.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(75);

    /// <summary>The server is asked to end a watch after this, and up to a tenth more.</summary>
    public TimeSpan Life { get; init; } = TimeSpan.FromSeconds(290);

    /// <summary>A watch that ends sooner and brought nothing counts as a failure.</summary>
    public TimeSpan Healthy { get; init; } = TimeSpan.FromSeconds(5);

    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Short, so that changes made during an outage arrive within seconds of its end.</summary>
    public TimeSpan LastRetry { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest wait for the list that an unreadable event makes due, when such events keep coming.</summary>
    public TimeSpan LastRelist { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Between tries of what can do without: a forbidden Secret or IngressClass.</summary>
    public TimeSpan ForbiddenRetry { get; init; } = TimeSpan.FromSeconds(60);
}

/// <summary>The times of the Lease; the proportions are those of Kubernetes' own components.</summary>
public sealed record LeaseTimes
{
    /// <summary>Others take over when the holder has not renewed for so long; whole seconds.</summary>
    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>The holder gives up when it could not renew for so long; less than <see cref="Duration"/>.</summary>
    public TimeSpan Deadline { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Between two tries, up to a fifth more.</summary>
    public TimeSpan Retry { get; init; } = TimeSpan.FromSeconds(2);
}

/// <summary>How fast status and Events are written.</summary>
public sealed record StatusRates
{
    /// <summary>A changed status waits this long, so that several publishes make one write.</summary>
    public TimeSpan Batch { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Writes begun per second at most.</summary>
    public int WritesPerSecond { get; init; } = 50;

    /// <summary>A write of which only the counts of peers are new comes no sooner than this after the object's last write.</summary>
    public TimeSpan PeersInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Events per minute at most; what is more is left out, since the status says it too.</summary>
    public int EventsPerMinute { get; init; } = 60;

    /// <summary>Until a write is answered.</summary>
    public TimeSpan Answer { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The first and the longest wait after a write that failed.</summary>
    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromSeconds(1);

    public TimeSpan LastRetry { get; init; } = TimeSpan.FromSeconds(60);
}
