using System.Buffers;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;

namespace StickyIngress.Control.Sources;

/// <summary>
/// A set of resources in a file: an object in JSON on each line, Secrets among them, so only its owner may read it (mode 0600). It is replaced
/// as a whole, so a reader never sees half of it.
/// </summary>
public sealed class ResourceFile(string folder, ILogger<ResourceFile> logger)
{
    public string Path { get; } = System.IO.Path.Combine(folder, "resources.jsonl");

    /// <summary>Null where there is no file or it cannot be read. A line that cannot be read is left out.</summary>
    public ResourceSet? Read()
    {
        try
        {
            if (!File.Exists(Path)) return null;

            var builder = new ResourceSetBuilder(ResourceSet.Empty);
            var slices = new Dictionary<ResourceRef, List<EndpointSlice>>();
            foreach (var line in File.ReadLines(Path))
            {
                var result = ResourceJson.Read(System.Text.Encoding.UTF8.GetBytes(line));
                foreach (var error in result.Errors) Log.CacheLineUnreadable(logger, Path, error.Message);
                foreach (var resource in result.Resources) Add(resource, builder, slices);
            }

            foreach (var (service, found) in slices) builder.SetSlices(service, [.. found]);
            return builder.ToSet([]) with { Version = 0, Changed = null };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.CacheLineUnreadable(logger, Path, e.Message);
            return null;
        }
    }

    /// <summary>Throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/> where it cannot be written; the former file then stays.</summary>
    public void Write(ResourceSet resources)
    {
        var next = Path + ".next";
        File.Delete(next);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var stream = new FileStream(next, options))
        {
            var line = new ArrayBufferWriter<byte>();
            using var writer = new Utf8JsonWriter(line);
            foreach (var resource in All(resources))
            {
                line.ResetWrittenCount();
                writer.Reset();
                ResourceJson.Write(writer, resource);
                writer.Flush();
                stream.Write(line.WrittenSpan);
                stream.WriteByte((byte)'\n');
            }

            stream.Flush(flushToDisk: true);
        }

        File.Move(next, Path, overwrite: true);
    }

    private static IEnumerable<Resource> All(ResourceSet resources) =>
    [
        .. resources.IngressClasses.Values, .. resources.Secrets.Values, .. resources.Services.Values,
        .. resources.EndpointSlices.Values.SelectMany(slices => slices), .. resources.Ingresses.Values, .. resources.Upstreams.Values,
    ];

    private static void Add(Resource resource, ResourceSetBuilder builder, Dictionary<ResourceRef, List<EndpointSlice>> slices)
    {
        if (resource is not EndpointSlice slice)
        {
            builder.Set(resource.Ref, resource);
            return;
        }

        // The lines keep the order of the slices, which is by name.
        var service = new ResourceRef(Service.KindName, slice.Metadata.Namespace, slice.ServiceName);
        if (!slices.TryGetValue(service, out var known)) slices[service] = known = [];
        known.Add(slice);
    }
}
