using System.Text;

namespace StickyIngress.Api.Tests;

public sealed class ResourceJsonTests
{
    [Fact]
    public void An_object_from_the_API_server_is_read_with_its_status()
    {
        var read = Read("""
            {"metadata":{"name":"shop","namespace":"web","uid":"u","managedFields":[{}]},
             "spec":{"servers":[{"name":"a","address":"b","route":"yes","failTimeout":5}],"proxy":{"nextUpstream":{"on":["Error"]}}},
             "status":{"observedGeneration":3,"peers":{"total":2},"conditions":[{"type":"Ready","status":"True","reason":"R","message":"","lastTransitionTime":"2026-01-31T12:00:00Z"}]}}
            """);

        Assert.Empty(read.Errors);
        var resource = Assert.IsType<StickyUpstream>(Assert.Single(read.Resources));
        Assert.Equal("yes", resource.Spec.Servers[0].Route);
        Assert.Equal(TimeSpan.FromSeconds(5), resource.Spec.Servers[0].FailTimeout);
        Assert.Null(resource.File);
        Assert.Equal((3L, 2), (resource.Status!.ObservedGeneration, resource.Status.Peers!.Total));
        Assert.Equal(ConditionStatus.True, Assert.Single(resource.Status.Conditions).Status);
    }

    [Theory]
    [InlineData("""{"servers":[{"name":"a","address":"b","weight":"1"}]}""", "WrongType", "spec.servers[0].weight")]
    [InlineData("""{"servers":[{"name":"a","address":"b","route":true}]}""", "WrongType", "spec.servers[0].route")]
    [InlineData("""{"servers":[{"name":"a","address":"b"}],"extra":1}""", "UnknownField", "spec.extra")]
    [InlineData("""{"servers":[{"name":"a","name":"a","address":"b"}]}""", "DuplicateField", "spec.servers[0].name")]
    public void A_mistake_is_named_as_in_a_file(string spec, string reason, string field)
    {
        var error = Assert.Single(Read($$"""{"metadata":{"name":"shop"},"spec":{{spec}}}""").Errors);

        Assert.Equal((reason, field), (error.Reason, error.Field));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{} {}")]
    public void What_is_no_JSON_is_one_error(string text) => Assert.Equal(ReadReasons.InvalidYaml, Assert.Single(Read(text).Errors).Reason);

    private static ReadResult Read(string json) => ResourceJson.ReadStickyUpstream(Encoding.UTF8.GetBytes(json));
}
