using System.Runtime.Versioning;
using StickyIngress.Control.Sources;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Control.Tests;

[UnsupportedOSPlatform("windows")]
public sealed class StateFileTests : IDisposable
{
    private static readonly PeerOverrides Some = PeerOverrides.Empty
        .With(Peer("u", "10.0.0.1:80"), new(Down: true))
        .With(Peer("u", "unix:/a \"b\"\nü"), new(Drain: false, Weight: 65535))
        .With(Peer("v", "[::1]:80"), new(Weight: 1));

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("state-");

    private string Name => Path.Combine(_folder.FullName, "state");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Reads_what_it_wrote()
    {
        new StateFile(Name).Write(Some);

        var file = new StateFile(Name);

        Assert.Equal(Lines(Some), Lines(file.Read()));
        Assert.Null(file.Trouble);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Name));
        Assert.Equal([Name], Directory.GetFiles(_folder.FullName));
    }

    [Fact]
    public void No_file_is_nothing_changed()
    {
        var file = new StateFile(Name);

        Assert.Same(PeerOverrides.Empty, file.Read());
        Assert.Null(file.Trouble);
    }

    [Fact]
    public void A_file_cut_anywhere_is_refused()
    {
        new StateFile(Name).Write(Some);
        var whole = File.ReadAllBytes(Name);
        for (var length = 0; length < whole.Length; length++)
        {
            File.WriteAllBytes(Name, whole[..length]);
            var file = new StateFile(Name);

            Assert.Same(PeerOverrides.Empty, file.Read());
            Assert.NotNull(file.Trouble);
        }
    }

    [Fact]
    public void A_file_with_any_byte_changed_is_refused()
    {
        new StateFile(Name).Write(Some);
        var whole = File.ReadAllBytes(Name);
        for (var i = 0; i < whole.Length; i++)
        {
            byte[] changed = [.. whole];
            changed[i] ^= 1;
            File.WriteAllBytes(Name, changed);
            var file = new StateFile(Name);

            Assert.Same(PeerOverrides.Empty, file.Read());
            Assert.NotNull(file.Trouble);
        }
    }

    [Theory]
    [InlineData("upstream backend { server 10.0.0.1; }\n", "is not a state file")]
    [InlineData("", "is not a state file")]
    [InlineData("stickyingress-state 2 0 x\n", "has format version 2; this release reads 1")]
    [InlineData("stickyingress-state 1 9999999999 x\n", "is cut short in its first line")]
    [InlineData("stickyingress-state 1 3 x\nabcd", "has not the length that its first line says")]
    [InlineData("stickyingress-state 1 3 ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\nabc", "has a line that is not as this release writes it")]
    public void A_file_that_is_none_of_ours_says_why(string content, string expected)
    {
        File.WriteAllText(Name, content);
        var file = new StateFile(Name);

        file.Read();

        Assert.Equal($"{Name} {expected}", file.Trouble);
    }

    [Fact]
    public void A_file_that_was_refused_is_not_written_over_until_it_is_moved_away()
    {
        File.WriteAllText(Name, "somebody's");
        var file = new StateFile(Name);
        file.Read();

        Assert.Throws<IOException>(() => file.Write(Some));
        Assert.Equal("somebody's", File.ReadAllText(Name));

        File.Move(Name, Name + ".old");
        file.Write(Some);

        Assert.Equal(Lines(Some), Lines(new StateFile(Name).Read()));
    }

    [Fact]
    public void A_directory_is_refused()
    {
        Directory.CreateDirectory(Name);
        var file = new StateFile(Name);

        Assert.Same(PeerOverrides.Empty, file.Read());
        Assert.StartsWith($"{Name} cannot be read: ", file.Trouble, StringComparison.Ordinal);
    }

    private static PeerRef Peer(string upstream, string address) => new(new("web", upstream), new("s", new("uid of " + address), address));

    private static IEnumerable<string> Lines(PeerOverrides overrides) => overrides.All.Select(one => one.ToString()).Order(StringComparer.Ordinal);
}
