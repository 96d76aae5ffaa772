using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Control.Diagnostics;

namespace StickyIngress.Control.Sources;

/// <summary>
/// The resources of all files, and from them the next <see cref="ResourceSet"/>. A change of one file touches only what that file
/// holds or held. Of two files with the same resource the first in ordinal order wins. Used by one thread at a time.
/// </summary>
internal sealed class ManifestSet
{
    private readonly SortedDictionary<string, ManifestReading> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<ResourceRef, SortedList<string, Resource>> _claims = [];
    private readonly HashSet<ResourceRef> _contested = [];
    private readonly Dictionary<string, Diagnostic> _troubles = new(StringComparer.Ordinal);
    private readonly HashSet<ResourceRef> _touched = [];

    // A slice is kept under its Service, so where each one stands must be known to take it out again.
    private readonly Dictionary<ResourceRef, SortedList<string, EndpointSlice>> _slices = [];
    private readonly Dictionary<ResourceRef, ResourceRef> _sliceOwners = [];

    public ResourceSet Current { get; private set; } = ResourceSet.Empty;

    public IReadOnlyCollection<string> Files => _files.Keys;

    /// <summary>The file has this content now.</summary>
    public void Put(string file, ManifestReading reading)
    {
        var former = _files.GetValueOrDefault(file, ManifestReading.Empty);
        Unclaim(file, former);
        _files[file] = Claim(file, reading.KeepingLastGood(former));
    }

    /// <summary>The file is gone, and its resources with it.</summary>
    public void Remove(string file)
    {
        if (_files.Remove(file, out var former)) Unclaim(file, former);
        _troubles.Remove(file);
    }

    /// <summary>A file or folder that cannot be read; its content stays as it was. Null: it can.</summary>
    public void SetTrouble(string path, string? message)
    {
        if (message is null)
            _troubles.Remove(path);
        else
            _troubles[path] = new(Severity.Error, Reasons.Unreadable, null, "", message, path);
    }

    /// <summary>The set after the changes; the same object where they came to nothing.</summary>
    public ResourceSet Build()
    {
        var diagnostics = Diagnose();
        var next = new ResourceSetBuilder(Current);
        foreach (var touch in _touched)
        {
            if (touch.Kind == EndpointSlice.KindName)
                ApplySlice(touch, Winner(touch) as EndpointSlice, next);
            else
                next.Set(touch, Winner(touch));
        }

        _touched.Clear();
        if (Current.Version > 0 && !next.IsChanged && diagnostics.SequenceEqual(Current.Diagnostics)) return Current;

        return Current = next.ToSet(diagnostics);
    }

    private ManifestReading Claim(string file, ManifestReading reading)
    {
        var diagnostics = reading.Diagnostics;
        foreach (var resource in reading.Resources)
        {
            if (!_claims.TryGetValue(resource.Ref, out var claims))
                _claims.Add(resource.Ref, claims = new(1, StringComparer.Ordinal));
            if (!claims.TryAdd(file, resource))
                diagnostics = diagnostics.Add(Duplicate(resource.Ref, file, file));
            if (claims.Count > 1) _contested.Add(resource.Ref);
            _touched.Add(resource.Ref);
        }

        return reading with { Diagnostics = diagnostics };
    }

    private void Unclaim(string file, ManifestReading former)
    {
        foreach (var resource in former.Resources)
        {
            _touched.Add(resource.Ref);
            if (!_claims.TryGetValue(resource.Ref, out var claims)) continue;

            claims.Remove(file);
            if (claims.Count < 2) _contested.Remove(resource.Ref);
            if (claims.Count == 0) _claims.Remove(resource.Ref);
        }
    }

    private Resource? Winner(ResourceRef named) => _claims.TryGetValue(named, out var claims) ? claims.GetValueAtIndex(0) : null;

    private ImmutableArray<Diagnostic> Diagnose()
    {
        var found = _troubles.Values.Concat(_files.Values.SelectMany(file => file.Diagnostics)).ToList();
        foreach (var named in _contested)
        {
            var files = _claims[named].Keys.ToArray();
            found.AddRange(files.Skip(1).Select(file => Duplicate(named, files[0], file)));
        }

        found.Sort(DiagnosticOrder.Instance);
        return [.. found];
    }

    private static Diagnostic Duplicate(ResourceRef named, string winner, string file) =>
        new(Severity.Error, Reasons.DuplicateResource, named, "", $"{named} is also in {winner}, which is the one that counts", file);

    private void ApplySlice(ResourceRef touch, EndpointSlice? slice, ResourceSetBuilder next)
    {
        var service = slice is null ? default : new ResourceRef(Service.KindName, touch.Namespace, slice.ServiceName);
        if (_sliceOwners.Remove(touch, out var former) && former != service)
        {
            var left = _slices[former];
            left.Remove(touch.Name);
            if (left.Count == 0) _slices.Remove(former);
            next.SetSlices(former, [.. left.Values]);
        }

        if (slice is null) return;

        if (!_slices.TryGetValue(service, out var slices)) _slices.Add(service, slices = new(1, StringComparer.Ordinal));
        slices[touch.Name] = slice;
        _sliceOwners[touch] = service;
        next.SetSlices(service, [.. slices.Values]);
    }
}
