using System.Diagnostics;
using System.Formats.Tar;
using System.Text;
using System.Text.Json.Nodes;

namespace StickyIngress.Tests;

/// <summary>What make release refuses before it builds anything, and what its bill of materials names.</summary>
public sealed class ReleaseTests
{
    private const string DebianRelease = "NAME=\"Debian GNU/Linux\"\nID=debian\n";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("VERSION is \"\"; it must be like 1.2.3", "", "")]
    [InlineData("VERSION is \"latest\"; it must be like 1.2.3", "latest", "base@sha256:x")]
    [InlineData("BASE is \"base:1\"; of a release it must be NAME@sha256:DIGEST", "1.2.3", "base:1")]
    [InlineData("BASE is \"base@sha256:12\"; of a release it must be NAME@sha256:DIGEST", "1.2.3", "base@sha256:12")]
    public async Task A_release_names_its_version_and_the_digest_of_its_base(string expected, string version, string @base)
    {
        var ended = await RunAsync(".ci/release.sh", version, "image", @base);

        Assert.Equal(1, ended.Code);
        Assert.Contains(expected, ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_bases_that_nobody_named_are_known_by_their_digests()
    {
        var dockerfile = File.ReadAllText(Repository.PathOf("Dockerfile"));
        var sdk = JsonNode.Parse(File.ReadAllText(Repository.PathOf("global.json")))!["sdk"]!["version"];

        Assert.Matches(@"(?m)^ARG BASE=[^\s@]+:10\.0\.\d+-\S+@sha256:[0-9a-f]{64}$", dockerfile);
        Assert.Matches($@"(?m)^ARG SDK=[^\s@]+:{sdk}-\S+@sha256:[0-9a-f]{{64}}$", dockerfile);
    }

    [Fact]
    public async Task The_bill_names_what_dpkg_has_installed()
    {
        var bill = await BillAsync(
            ("etc/os-release", DebianRelease),
            ("var/lib/dpkg/status", """
                Package: libc6
                Status: install ok installed
                Architecture: amd64
                Version: 2.36-9+deb12u10
                Description: GNU C Library
                 Package: of a description is none

                Package: gone
                Status: deinstall ok config-files
                Architecture: amd64
                Version: 1

                """));

        Assert.Equal(["pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64"], BasePackages(bill));
        Assert.Null(bill["compositions"]);
    }

    [Fact]
    public async Task The_bill_names_what_a_base_without_dpkg_is_made_of()
    {
        var bill = await BillAsync(
            ("etc/os-release", DebianRelease),
            ("var/lib/dpkg/status.d/libssl3", "Package: libssl3\nVersion: 3.0.17-1~deb12u2\nArchitecture: amd64\n"),
            ("var/lib/dpkg/status.d/libssl3.md5sums", "Package: none\n"));

        Assert.Equal(["pkg:deb/debian/libssl3@3.0.17-1~deb12u2?arch=amd64"], BasePackages(bill));
    }

    [Fact]
    public async Task The_bill_names_what_chisel_cut_a_base_from()
    {
        var bill = await BillAsync(
            ("usr/lib/os-release", "ID=ubuntu\n"),
            ("var/lib/chisel/manifest.wall", """
                {"jsonwall":"1.0","schema":"1.0","count":2}
                {"kind":"package","name":"libc6","version":"2.39-0ubuntu8.6","sha256":"00","arch":"amd64"}
                {"kind":"slice","name":"libc6_libs"}

                """));

        Assert.Equal(["pkg:deb/ubuntu/libc6@2.39-0ubuntu8.6?arch=amd64"], BasePackages(bill));
    }

    [Fact]
    public async Task The_bill_names_the_runtime_and_says_where_it_is_incomplete()
    {
        var bill = await BillAsync(("etc/os-release", DebianRelease));

        Assert.Equal(
            ["pkg:nuget/Json@1.0.0", "pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@10.0.15"], bill["components"]!.AsArray().Select(it => (string)it!["purl"]!));
        Assert.Equal(("incomplete", "whole"), ((string)bill["compositions"]![0]!["aggregate"]!, (string)bill["compositions"]![0]!["assemblies"]![0]!));
    }

    private static IEnumerable<string> BasePackages(JsonNode bill) =>
        bill["components"]!.AsArray().Select(it => (string)it!["purl"]!).Where(purl => purl.StartsWith("pkg:deb/", StringComparison.Ordinal));

    /// <summary>The bill of a program with one package on a base with these files.</summary>
    private static async Task<JsonNode> BillAsync(params (string Name, string Text)[] files)
    {
        using var folder = Manifests.With();
        var (bill, deps, root) = (folder.PathOf("bill.json"), folder.PathOf("deps.json"), folder.PathOf("root.tar"));
        folder.Write("bill.json", """{"metadata":{"component":{"bom-ref":"whole"}},"components":[{"purl":"pkg:nuget/Json@1.0.0"}]}""");
        folder.Write("deps.json", """{"libraries":{"Json/1.0.0":{},"runtimepack.Microsoft.NETCore.App.Runtime.linux-x64/10.0.15":{}}}""");
        await using (var tar = new TarWriter(File.Create(root)))
        {
            foreach (var (name, text) in files)
                await tar.WriteEntryAsync(new PaxTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(await PackedAsync(name, text)) }, Stop);
        }

        var ended = await RunAsync(".ci/bill.py", bill, deps, root);

        if (ended.Code == 127) Assert.Skip("python3 is missing"); // what env says
        Assert.True(ended.Code == 0, ended.Error);
        return JsonNode.Parse(await File.ReadAllTextAsync(bill, Stop))!;
    }

    private static async Task<byte[]> PackedAsync(string name, string text)
    {
        if (!name.EndsWith(".wall", StringComparison.Ordinal)) return Encoding.UTF8.GetBytes(text);
        if (!File.Exists("/usr/bin/zstd")) Assert.Skip("zstd is missing (Debian package zstd)");

        using var plain = new Sync.TemporaryFile(text);
        var packed = plain.Path + ".zst";
        var ended = await RunAsync("/usr/bin/zstd", "--quiet", plain.Path, "-o", packed);
        Assert.True(ended.Code == 0, ended.Error);
        var bytes = await File.ReadAllBytesAsync(packed, Stop);
        File.Delete(packed);
        return bytes;
    }

    private static async Task<(int Code, string Error)> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(Repository.PathOf(program), arguments) { UseShellExecute = false, RedirectStandardError = true })!;
        var said = await process.StandardError.ReadToEndAsync(Stop);
        await process.WaitForExitAsync(Stop);
        return (process.ExitCode, said);
    }
}
