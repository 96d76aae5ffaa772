using System.Collections.Immutable;
using System.Runtime.InteropServices;
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
    private readonly Dictionary<string, ManifestReading> _files = new(StringComparer.Ordinal);

    // In the order of their files; nearly always one.
    private readonly Dictionary<ResourceRef, Resource[]> _claims = [];
    private readonly HashSet<ResourceRef> _contested = [];
    private readonly Dictionary<string, Diagnostic> _troubles = new(StringComparer.Ordinal);
    private readonly List<ResourceRef> _touched = [];

    // A slice is kept under its Service, so where each one stands must be known to take it out again. In the order of their names.
    private readonly Dictionary<ResourceRef, ImmutableArray<EndpointSlice>> _slices = [];
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
            var named = resource.Ref;
            ref var claims = ref CollectionsMarshal.GetValueRefOrAddDefault(_claims, named, out _);
            if (claims is null)
            {
                claims = [resource];
            }
            else if (Array.Exists(claims, claim => claim.File == file))
            {
                diagnostics = diagnostics.Add(Duplicate(named, file, file));
            }
            else
            {
                claims = [.. claims.Append(resource).OrderBy(claim => claim.File, StringComparer.Ordinal)];
                _contested.Add(named);
            }

            _touched.Add(named);
        }

        return reading with { Diagnostics = diagnostics };
    }

    private void Unclaim(string file, ManifestReading former)
    {
        foreach (var resource in former.Resources)
        {
            _touched.Add(resource.Ref);
            if (!_claims.TryGetValue(resource.Ref, out var claims)) continue;

            Resource[] left = [.. claims.Where(claim => claim.File != file)];
            if (left.Length < 2) _contested.Remove(resource.Ref);
            if (left.Length == 0) _claims.Remove(resource.Ref);
            else _claims[resource.Ref] = left;
        }
    }

    private Resource? Winner(ResourceRef named) => _claims.TryGetValue(named, out var claims) ? claims[0] : null;

    private ImmutableArray<Diagnostic> Diagnose()
    {
        var found = _troubles.Values.Concat(_files.Values.SelectMany(file => file.Diagnostics)).ToList();
        foreach (var named in _contested)
        {
            var claims = _claims[named];
            found.AddRange(claims.Skip(1).Select(claim => Duplicate(named, claims[0].File!, claim.File!)));
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
            var left = _slices[former].RemoveAll(known => known.Ref == touch);
            if (left.IsEmpty) _slices.Remove(former);
            else _slices[former] = left;
            next.SetSlices(former, left);
        }

        if (slice is null) return;

        ref var slices = ref CollectionsMarshal.GetValueRefOrAddDefault(_slices, service, out var exists);
        slices = exists ? With(slices, slice) : [slice];
        _sliceOwners[touch] = service;
        next.SetSlices(service, slices);
    }

    private static ImmutableArray<EndpointSlice> With(ImmutableArray<EndpointSlice> slices, EndpointSlice slice)
    {
        var at = 0;
        while (at < slices.Length && string.CompareOrdinal(slices[at].Metadata.Name, slice.Metadata.Name) < 0) at++;
        return at < slices.Length && slices[at].Ref == slice.Ref ? slices.SetItem(at, slice) : slices.Insert(at, slice);
    }
}
