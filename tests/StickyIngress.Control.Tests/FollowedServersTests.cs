using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Tests;

public sealed class FollowedServersTests
{
    private readonly Compiling _compiling = new();

    [Fact]
    public void A_peer_whose_address_is_still_there_keeps_its_state_and_a_new_one_comes_last()
    {
        _compiling.Put(Follows("u", "two.test"));
        var former = _compiling.Upstream().Peers.ToDictionary(peer => peer.Name, peer => peer.State);

        _compiling.Answers[("two.test", null)] = new([Compiling.Address("10.9.0.2"), Compiling.Address("10.9.0.7")], null);
        _compiling.Compile(_compiling.Resources);

        var peers = _compiling.Upstream().Peers.ToArray();
        Assert.Equal(["10.9.0.2:80", "10.9.0.7:80"], peers.Select(peer => peer.Name));
        Assert.Same(former["10.9.0.2:80"], peers[0].State);
    }

    [Fact]
    public void A_changed_answer_compiles_only_the_upstreams_that_follow_the_name()
    {
        _compiling.Put(Follows("u", "one.test") + "---\n" + Follows("v", "two.test") + "---\n" + Follows("w", "one.test"));
        var untouched = _compiling.Upstream("v");

        _compiling.Answers[("one.test", null)] = new([Compiling.Address("10.9.0.8")], null);
        var result = _compiling.Compile(_compiling.Resources);

        Assert.Equal(["u", "w"], result.Changes.Select(change => change.Current!.Name.Name).Order());
        Assert.Same(untouched, _compiling.Upstream("v"));
    }

    [Fact]
    public void Upstreams_with_one_name_and_one_resolver_share_a_question_whatever_their_ports()
    {
        var result = _compiling.Put(Follows("u", "one.test:81") + "---\n" + Follows("v", "ONE.test.") + "---\n" + Follows("w", "one.test", "resolver: { addresses: [10.0.0.1] }"));

        Assert.Equal(["127.0.0.1:53", "10.0.0.1:53"], result.Names.Followed.Select(name => name.Resolver.Servers[0].ToString()).OrderDescending());
        Assert.Equal("10.9.0.1:81", Assert.Single(_compiling.Upstream("u").Peers).Name);
    }

    [Theory]
    [InlineData("30s", 30)]
    [InlineData("0s", null)]
    public void An_answer_holds_for_valid_and_for_its_ttl_where_that_is_0(string valid, int? seconds)
    {
        var result = _compiling.Put(Follows("u", "one.test", $"resolver: {{ addresses: [10.0.0.1], valid: {valid} }}"));

        Assert.Equal(seconds, Assert.Single(result.Names.Followed).Resolver.Valid?.TotalSeconds);
    }

    [Fact]
    public void Before_the_first_answer_there_are_no_peers_and_nothing_is_wrong()
    {
        var result = _compiling.Put(Follows("u", "later.test"));

        Assert.False(_compiling.Upstream().HasPeers);
        Assert.Empty(result.Diagnostics);
    }

    [Fact]
    public void A_bad_answer_is_a_warning_that_goes_with_the_next_good_one()
    {
        _compiling.Put(Follows("u", "gone.test"));
        var found = Assert.Single(_compiling.Last!.Diagnostics);
        _compiling.Answers[("gone.test", null)] = new([Compiling.Address("10.9.0.9")], null);
        _compiling.Compile(_compiling.Resources);

        Assert.Equal((Reasons.HostNotResolved, Severity.Warning), (found.Reason, found.Severity));
        Assert.Empty(_compiling.Last!.Diagnostics);
    }

    [Fact]
    public void A_name_that_no_server_has_any_more_is_not_followed()
    {
        _compiling.Put(Follows("u", "one.test"));
        var result = _compiling.Put(SnapshotCompilerTests.Address("u", "one.test"));

        Assert.Empty(result.Names.Followed);
    }

    [Fact]
    public void A_peer_that_becomes_a_backup_by_its_priority_keeps_its_state()
    {
        const string yaml = "address: srv.test, resolve: true, srv: http";
        _compiling.Put(Upstream("u", yaml));
        var former = _compiling.Upstream().Primaries.Peers.First(peer => peer.Name == "10.9.1.1:8001").State;

        _compiling.Answers[("srv.test", "http")] = new(
            [Compiling.Address("10.9.1.1", new("a.srv.test", 8001, 9, 1)), Compiling.Address("10.9.1.3", new("b.srv.test", 8002, 1, 1))], null);
        _compiling.Compile(_compiling.Resources);

        Assert.Same(former, Assert.Single(_compiling.Upstream().Backups.Peers).State);
        Assert.Equal("10.9.1.3:8002", Assert.Single(_compiling.Upstream().Primaries.Peers).Name);
    }

    private static string Follows(string name, string address, string more = "") => Upstream(name, $"address: \"{address}\", resolve: true", more);

    private static string Upstream(string name, string server, string more = "") =>
        $"apiVersion: stickyingress.io/v1alpha1\nkind: StickyUpstream\nmetadata: {{ name: {name} }}\nspec:\n  servers: [{{ name: s, {server} }}]\n  {more}\n";
}
