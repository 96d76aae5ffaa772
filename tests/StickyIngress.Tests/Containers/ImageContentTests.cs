using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace StickyIngress.Tests.Containers;

/// <summary>What Image.pubxml leaves out of the image is missed by nothing in it.</summary>
public sealed class ImageContentTests
{
    private static readonly string Published = Repository.PathOf("artifacts/image");

    [Fact]
    public void Every_assembly_that_the_program_leads_to_is_there()
    {
        if (!File.Exists(PathOf("sticky-ingress"))) Assert.Skip("the program is not published (make publish)");

        var (followed, todo) = (new HashSet<string> { "sticky-ingress" }, new Queue<string>(["sticky-ingress"]));
        var missing = new List<string>();
        while (todo.TryDequeue(out var assembly))
        {
            foreach (var reference in ReferencesOf(assembly).Where(followed.Add))
            {
                if (File.Exists(PathOf(reference))) todo.Enqueue(reference);
                else missing.Add($"{reference}, to which {assembly} refers");
            }
        }

        Assert.Empty(missing);
        Assert.Contains("KubernetesClient", followed);
    }

    private static string PathOf(string assembly) => Path.Combine(Published, assembly + ".dll");

    private static string[] ReferencesOf(string assembly)
    {
        using var file = new PEReader(File.OpenRead(PathOf(assembly)));
        var metadata = file.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))];
    }
}
