using System.Runtime.CompilerServices;

namespace StickyIngress.Control.Tests;

/// <summary>Cases/NAME/in.yaml compiles to Cases/NAME/out.yaml; <c>UPDATE_GOLDEN=1</c> writes the latter anew.</summary>
public sealed class GoldenTests
{
    public static TheoryData<string> Cases => [.. Directory.GetDirectories(Folder()).Select(folder => Path.GetFileName(folder)!).Order()];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Compiles_to_what_was_recorded(string name)
    {
        var folder = Path.Combine(Folder(), name);
        var expected = Path.Combine(folder, "out.yaml");

        var actual = SnapshotText.Of(new Compiling().Put(File.ReadAllText(Path.Combine(folder, "in.yaml")), "in.yaml"));
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1") File.WriteAllText(expected, actual);

        Assert.Equal(File.ReadAllText(expected), actual);
    }

    private static string Folder([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "Cases");
}
