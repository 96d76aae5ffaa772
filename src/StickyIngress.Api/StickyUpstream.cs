namespace StickyIngress.Api;

/// <summary>The custom resource: a group of servers, how to choose among them, and how clients stick to them.</summary>
public sealed record StickyUpstream : Resource
{
    public const string Group = "stickyingress.io";
    public const string Version = "v1alpha1";
    public const string ApiVersion = Group + "/" + Version;
    public const string KindName = "StickyUpstream";
    public const string Plural = "stickyupstreams";

    public override string Kind => KindName;

    public required StickyUpstreamSpec Spec { get; init; }

    /// <summary>What a controller last wrote; never read from files.</summary>
    public StickyUpstreamStatus? Status { get; init; }
}
