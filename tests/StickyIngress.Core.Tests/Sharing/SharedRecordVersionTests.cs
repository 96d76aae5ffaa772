using StickyIngress.Core.Sharing;

namespace StickyIngress.Core.Tests.Sharing;

/// <summary>What another version wrote is not understood, so that it is left alone.</summary>
public sealed class SharedRecordVersionTests
{
    private const byte Later = SharedRecord.Version + 1;

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
