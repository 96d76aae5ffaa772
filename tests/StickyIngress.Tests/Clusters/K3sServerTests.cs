using StickyIngress.Tests.Containers;

namespace StickyIngress.Tests.Clusters;

public sealed class K3sServerTests
{
    [Theory]
    [InlineData("/usr/local/kubebuilder/bin", null, true, "KUBEBUILDER_ASSETS is set: the suite runs on its kube-apiserver")]
    [InlineData(null, "docker is missing", false, "docker is missing")]
    [InlineData("", null, false, $"KUBEBUILDER_ASSETS is not set, and the Docker engine has no image {K3sServer.Image} (docker pull {K3sServer.Image})")]
    [InlineData(null, null, true, null)]
    public void K3s_stands_in_where_there_is_an_engine_with_its_image(string? assets, string? engine, bool image, string? reason) =>
        Assert.Equal(reason, K3sServer.WhyNot(assets, engine, image));
}
