using System.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Sources;

namespace StickyIngress.Control.Tests;

public sealed class FileSourceTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("stickyingress-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Reads_manifests_and_neither_hidden_nor_other_files_nor_subfolders()
    {
        Write("a.yaml", Upstream("a"));
        Write("b.yml", Upstream("b"));
        Write("c.json", """{"apiVersion":"stickyingress.io/v1alpha1","kind":"StickyUpstream","metadata":{"name":"c"},"spec":{"servers":[{"name":"s","address":"10.0.0.1"}]}}""");
        Write(".hidden.yaml", Upstream("hidden"));
        Write("notes.txt", Upstream("notes"));
        Directory.CreateDirectory(Path.Combine(_folder, "sub"));
        Write("sub/d.yaml", Upstream("d"));

        Assert.Equal(["a", "b", "c"], Names(Source().Read()));
    }

    [Fact]
    public void What_is_no_text_is_told_with_its_line_and_holds_up_nobody()
    {
        Write("a.yaml", Upstream("a"));
        File.WriteAllBytes(Path.Combine(_folder, "latin.yaml"), [.. "# one\n# caf"u8, 0xe9, (byte)'\n']);
        Write("empty.yaml", "");
        using (var mkfifo = Process.Start("mkfifo", [Path.Combine(_folder, "pipe.yaml")])) mkfifo.WaitForExit();
        File.CreateSymbolicLink(Path.Combine(_folder, "endless.yaml"), "/dev/zero");

        var read = Source().Read();

        Assert.Equal(["a"], Names(read));
        var told = Assert.Single(read.Diagnostics);
        Assert.Equal((2, "the file is not valid YAML: line 2: this is not UTF-8"), (told.Line, told.Message));
    }

    [Fact]
    public void A_change_of_one_file_tells_what_changed_and_shares_the_rest()
    {
        Write("a.yaml", Upstream("a"));
        Write("b.yaml", Upstream("b"));
        var source = Source();
        var before = source.Read();

        Write("a.yaml", Upstream("a", "10.0.0.22"));
        var after = source.Read();

        Assert.Equal([Ref("a")], after.Changed);
        Assert.Same(before.Upstreams[Ref("b")], after.Upstreams[Ref("b")]);
        Assert.Equal(before.Version + 1, after.Version);
        Assert.Same(after, source.Read());
    }

    [Fact]
    public void A_file_that_is_no_yaml_keeps_its_last_good_content_until_it_is_mended()
    {
        Write("a.yaml", Upstream("a"));
        var source = Source();
        source.Read();

        Write("a.yaml", "spec: [");
        var broken = source.Read();
        Write("a.yaml", Upstream("other"));
        var mended = source.Read();

        Assert.Equal(["a"], Names(broken));
        Assert.Equal("a.yaml", Path.GetFileName(Assert.Single(broken.Diagnostics).File));
        Assert.Equal(["other"], Names(mended));
        Assert.Empty(mended.Diagnostics);
    }

    [Fact]
    public void A_file_that_is_emptied_keeps_what_it_held_until_something_is_in_it()
    {
        Write("a.yaml", Upstream("a"));
        Write("b.yaml", "");
        var source = Source();
        Assert.Empty(source.Read().Diagnostics);

        Write("a.yaml", "");
        var emptied = source.Read();
        var again = source.Read();
        Write("a.yaml", Upstream("other"));
        var filled = source.Read();
        Write("a.yaml", "# nothing");
        var removed = source.Read();

        Assert.Equal(["a"], Names(emptied));
        Assert.Contains("emptied", Assert.Single(emptied.Diagnostics).Message);
        Assert.Same(emptied, again);
        Assert.Equal(["other"], Names(filled));
        Assert.Empty(filled.Diagnostics);
        Assert.Empty(Names(removed));
    }

    [Fact]
    public void A_broken_document_keeps_its_resource_and_lets_the_others_change()
    {
        Write("a.yaml", Upstream("a") + "---\n" + Upstream("b") + "---\n" + Upstream("c"));
        var source = Source();
        var before = source.Read();

        Write("a.yaml", Upstream("a").Replace("servers", "serverz") + "---\n" + Upstream("b", "10.0.0.9"));
        var after = source.Read();

        Assert.Equal(["a", "b"], Names(after));
        Assert.Same(before.Upstreams[Ref("a")], after.Upstreams[Ref("a")]);
        Assert.Equal("10.0.0.9", after.Upstreams[Ref("b")].Spec.Servers[0].Address);
    }

    [Fact]
    public void Of_two_files_with_one_resource_the_first_counts_and_the_other_takes_over_when_it_goes()
    {
        Write("2.yaml", Upstream("a", "10.0.0.2"));
        Write("1.yaml", Upstream("a", "10.0.0.1"));
        var source = Source();

        var both = source.Read();
        File.Delete(Path.Combine(_folder, "1.yaml"));
        var second = source.Read();

        var told = Assert.Single(both.Diagnostics);
        Assert.Equal((Reasons.DuplicateResource, "2.yaml"), (told.Reason, Path.GetFileName(told.File)));
        Assert.Equal("10.0.0.1", both.Upstreams[Ref("a")].Spec.Servers[0].Address);
        Assert.Equal("10.0.0.2", second.Upstreams[Ref("a")].Spec.Servers[0].Address);
        Assert.Empty(second.Diagnostics);
    }

    [Fact]
    public void A_folder_that_goes_away_is_told_and_loses_nothing()
    {
        Write("a.yaml", Upstream("a"));
        var source = Source();
        source.Read();

        Directory.Move(_folder, _folder + "-away");
        var away = source.Read();
        Directory.Move(_folder + "-away", _folder);
        var back = source.Read();

        Assert.Equal(["a"], Names(away));
        Assert.Equal(Reasons.Unreadable, Assert.Single(away.Diagnostics).Reason);
        Assert.Empty(back.Diagnostics);
    }

    [Fact]
    public async Task Follows_edits_renames_deletions_and_the_swap_of_a_mounted_ConfigMap()
    {
        Mount("1", "10.0.0.1");
        File.CreateSymbolicLink(Path.Combine(_folder, "..data"), "..1");
        File.CreateSymbolicLink(Path.Combine(_folder, "mounted.yaml"), "..data/mounted.yaml");
        await using var sets = Source().WatchAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator(TestContext.Current.CancellationToken);
        await Until(sets, set => Address(set, "mounted") == "10.0.0.1");

        Mount("2", "10.0.0.2");
        File.CreateSymbolicLink(Path.Combine(_folder, "..tmp"), "..2");
        await RenameAsync("..tmp", "..data");
        await Until(sets, set => Address(set, "mounted") == "10.0.0.2");

        Write("new.tmp", Upstream("a"));
        File.Move(Path.Combine(_folder, "new.tmp"), Path.Combine(_folder, "a.yaml"));
        await Until(sets, set => Address(set, "a") == "10.0.0.1");

        Write("a.yaml", Upstream("a", "10.0.0.3"));
        await Until(sets, set => Address(set, "a") == "10.0.0.3");

        File.Delete(Path.Combine(_folder, "a.yaml"));
        await Until(sets, set => Address(set, "a") is null);
    }

    private void Mount(string version, string address)
    {
        Directory.CreateDirectory(Path.Combine(_folder, ".." + version));
        Write($"..{version}/mounted.yaml", Upstream("mounted", address));
    }

    /// <summary>As the kubelet does it: one rename over the old link, which File.Move cannot do with a link to a folder.</summary>
    private async Task RenameAsync(string from, string to)
    {
        using var rename = Process.Start("mv", ["-T", Path.Combine(_folder, from), Path.Combine(_folder, to)]);
        await rename.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(0, rename.ExitCode);
    }

    private static async Task Until(IAsyncEnumerator<ResourceSet> sets, Func<ResourceSet, bool> holds)
    {
        while (await sets.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken))
            if (holds(sets.Current)) return;
    }

    private FileSource Source() =>
        new(new() { Folders = [_folder] }, TimeProvider.System, NullLogger<FileSource>.Instance);

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);

    private static string Upstream(string name, string address = "10.0.0.1") => SnapshotCompilerTests.Address(name, address);

    private static string? Address(ResourceSet set, string name) => set.Upstreams.GetValueOrDefault(Ref(name))?.Spec.Servers[0].Address;

    private static IEnumerable<string> Names(ResourceSet set) => set.Upstreams.Keys.Select(named => named.Name).Order();

    private static ResourceRef Ref(string name) => new(StickyUpstream.KindName, "default", name);
}
