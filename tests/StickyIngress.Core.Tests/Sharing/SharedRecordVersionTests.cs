using StickyIngress.Core.Sharing;

namespace StickyIngress.Core.Tests.Sharing;

/// <summary>The form of this version stays as it is, and what another version wrote is not understood, so that it is left alone.</summary>
public sealed class SharedRecordVersionTests
{
    private const byte Later = SharedRecord.Version + 1;

    [Theory]
    [InlineData("pod-a", "0100706f642d61")]
    [InlineData("5f0c6bd2-4b1c-4d52-9f2f-3a1f6f0c7e11", "0101d26b0c5f1c4b524d9f2f3a1f6f0c7e11")]
    public void A_value_is_written_as_the_replicas_that_run_now_read_it(string peer, string bytes) =>
        Assert.Equal(bytes, Convert.ToHexStringLower(SharedRecord.Value(peer)));

    [Fact]
    public void An_announcement_is_written_as_the_replicas_that_run_now_read_it() => Assert.Equal(
        "01" + "0807060504030201" + "0500" + "7569642d31" + "887766554433221100ffeeddccbbaa99" + "0100706f642d61",
        Convert.ToHexStringLower(SharedRecord.Announcement(
            0x0102030405060708, new("uid-1", new(0x1122334455667788, 0x99aabbccddeeff00)), SharedRecord.Value("pod-a"))));

    [Theory]
    [InlineData("pod-a")]
    [InlineData("5f0c6bd2-4b1c-4d52-9f2f-3a1f6f0c7e11")]
    public void A_value_of_another_version_names_no_peer(string peer)
    {
        var value = SharedRecord.Value(peer);
        Assert.True(SharedRecord.TryReadPeer(value, out var read));
        Assert.Equal(peer, read);

        value[0] = Later;

        Assert.False(SharedRecord.TryReadPeer(value, out _));
    }

    [Fact]
    public void An_announcement_of_another_version_is_not_heard()
    {
        var announcement = SharedRecord.Announcement(1, new("uid-1", new(2, 3)), SharedRecord.Value("pod-a"));
        Assert.True(SharedRecord.TryReadAnnouncement(announcement, out _, out _, out _));

        announcement[0] = Later;

        Assert.False(SharedRecord.TryReadAnnouncement(announcement, out _, out _, out _));
    }
}
