namespace StickyIngress.Kubernetes;

public sealed class ClusterStatusWriter
{
    public const string Controller = "stickyingress.io/controller";
}
