using System.Globalization;
using StickyIngress.Api.Kubernetes;
using StickyIngress.Api.Schema;

namespace StickyIngress.Api.Reading;

/// <summary>One document to one resource (or, for a List, to several), or to what is wrong with it.</summary>
internal sealed class ResourceReader(Findings findings, List<Resource> resources, string? file)
{
    /// <summary>Up to so many, comparing all is faster than hashing.</summary>
    private const int FewChildren = 32;

    private const string DateForm = "a date and time such as 2026-01-31T12:00:00Z";
    private static readonly ObjectSchema Spec = ObjectSchema.Of(typeof(StickyUpstreamSpec));

    private static readonly HashSet<string> MetadataFields = new(StringComparer.Ordinal)
    {
        "name", "generateName", "namespace", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
        "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers", "managedFields", "clusterName",
    };

    private readonly SpecReader _specs = new(findings);

    public void ReadDocument(Node root)
    {
        if (root.IsNull) return;

        findings.Begin(RefOf(root));
        if (root.Kind != NodeKind.Map)
        {
            findings.WrongType(root, "a map with apiVersion, kind and metadata");
            return;
        }

        var reader = new MapReader(root, findings);
        var apiVersion = reader.RequiredText("apiVersion");
        var kind = reader.RequiredText("kind");
        if (findings.Failed) return;

        if (kind == "List" && apiVersion == "v1") ReadItems(root);
        else if (kind == StickyUpstream.KindName && apiVersion == StickyUpstream.ApiVersion) ReadStickyUpstream(root);
        else if (NativeReader.ApiVersionOf(kind) == apiVersion) ReadNative(kind, root);
        else findings.Warn(ReadReasons.UnknownKind, $"{apiVersion} {kind} is not a kind that is used here; the document is passed over", root);
    }

    public void ReadStickyUpstream(Node root)
    {
        findings.Begin(RefOf(root) ?? new ResourceRef(StickyUpstream.KindName, ObjectMeta.DefaultNamespace, ""));
        ReportDuplicates(root);
        ReportUnknown(root);

        var metadata = ReadMetadata(root, StickyUpstream.KindName);
        StickyUpstreamSpec? spec = null;
        findings.Enter("spec");
        if (root.Get("spec") is { } node) spec = (StickyUpstreamSpec?)_specs.ReadObject(node, Spec);
        else findings.Error(ReadReasons.Required, "spec is missing; it must be set", root);
        findings.Leave();

        if (!findings.Failed) Apply(spec!, root);
        if (!findings.Failed) resources.Add(new StickyUpstream { Metadata = metadata, Spec = spec!, File = file, Status = ReadStatus(root) });
    }

    private void ReadItems(Node root)
    {
        findings.Enter("items");
        if (root.Get("items") is not { Kind: NodeKind.List } items)
        {
            findings.WrongType(root.Get("items") ?? root, "a list");
            return;
        }

        foreach (var item in items.Children) ReadDocument(item);
    }

    private void ReadNative(string kind, Node root)
    {
        ReportDuplicates(root);
        var metadata = ReadMetadata(root, kind);
        var resource = NativeReader.Read(kind, new MapReader(root, findings), metadata, file);
        if (!findings.Failed) resources.Add(resource);
    }

    /// <summary>The rules over several fields, once each field by itself is right.</summary>
    private void Apply(StickyUpstreamSpec spec, Node root)
    {
        foreach (var violation in SpecRules.Check(spec))
        {
            var at = Locate(root, violation.Field);
            findings.Error(ReadReasons.InvalidCombination, violation.Field, violation.Message, at.Line, at.Column);
        }
    }

    private static Node Locate(Node root, string field)
    {
        var at = root;
        foreach (var step in field.Split('.', '[', ']'))
        {
            if (step.Length == 0) continue;

            var next = at.Kind == NodeKind.List && int.TryParse(step, out var index) ? at.Children[index] : at.Get(step);
            if (next is null) break;
            at = next;
        }

        return at;
    }

    /// <summary>Only objects from the API server have one that means something, so only they are asked for it.</summary>
    private StickyUpstreamStatus? ReadStatus(Node root)
    {
        if (file is not null || root.Get("status") is not { } node) return null;

        var ignored = new Findings();
        var status = new SpecReader(ignored).ReadObject(node, ObjectSchema.Of(typeof(StickyUpstreamStatus)));
        return ignored.Failed ? null : (StickyUpstreamStatus?)status;
    }

    private ObjectMeta ReadMetadata(Node root, string kind)
    {
        if (root.Get("metadata") is null)
        {
            findings.Enter("metadata");
            findings.Error(ReadReasons.Required, "metadata is missing; it must be set", root);
            findings.Leave();
        }

        var clusterWide = kind == IngressClass.KindName;
        return new MapReader(root, findings).Map("metadata", metadata =>
        {
            if (kind == StickyUpstream.KindName) ReportUnknownMetadata(root);
            var name = metadata.RequiredText("name");
            if (name.Length > 0 && !Names.IsSubdomain(name))
                Invalid("name", root, "at most 253 lower-case letters, digits, '-' and '.', beginning and ending with a letter or digit");
            var space = metadata.Text("namespace");
            if (space.Length > 0 && !Names.IsLabel(space))
                Invalid("namespace", root, "at most 63 lower-case letters, digits and '-', beginning and ending with a letter or digit");

            return new ObjectMeta
            {
                Name = name,
                Namespace = clusterWide ? "" : space.Length > 0 ? space : ObjectMeta.DefaultNamespace,
                Uid = metadata.Text("uid"),
                ResourceVersion = metadata.Text("resourceVersion"),
                Generation = metadata.Integer("generation", 0, long.MaxValue),
                CreationTimestamp = ReadCreation(metadata, root),
                Labels = MapOf(metadata.TextMap("labels")),
                Annotations = MapOf(metadata.TextMap("annotations")),
            };
        });
    }

    private DateTimeOffset? ReadCreation(MapReader metadata, Node root)
    {
        if (metadata.OptionalText("creationTimestamp") is not { } text) return null;
        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var moment)) return moment;

        Invalid("creationTimestamp", root, DateForm);
        return null;
    }

    private void Invalid(string name, Node root, string allowed)
    {
        findings.Enter(name);
        findings.Wrong(ReadReasons.InvalidValue, root.Get("metadata")!.Get(name)!, allowed);
        findings.Leave();
    }

    private void ReportUnknown(Node root)
    {
        for (var i = 0; i < root.Children.Length; i += 2)
        {
            if (root.Children[i].Text is "apiVersion" or "kind" or "metadata" or "spec" or "status") continue;
            ReportUnknown(root.Children[i], ["apiVersion", "kind", "metadata", "spec", "status"]);
        }
    }

    private void ReportUnknownMetadata(Node root)
    {
        var metadata = root.Get("metadata");
        for (var i = 0; metadata is { Kind: NodeKind.Map } && i < metadata.Children.Length; i += 2)
        {
            if (!MetadataFields.Contains(metadata.Children[i].Text)) ReportUnknown(metadata.Children[i], MetadataFields);
        }
    }

    private void ReportUnknown(Node key, IEnumerable<string> known)
    {
        findings.Enter(key.Text);
        var nearest = Names.Nearest(key.Text, known);
        findings.Error(ReadReasons.UnknownField, $"{key.Text} is not known here{(nearest is null ? "" : $"; did you mean {nearest}?")}", key);
        findings.Leave();
    }

    private void ReportDuplicates(Node node)
    {
        var isMap = node.Kind == NodeKind.Map;
        var names = isMap && node.Children.Length > FewChildren ? new HashSet<string>(StringComparer.Ordinal) : null;
        for (var i = 0; i < node.Children.Length; i += isMap ? 2 : 1)
        {
            var value = isMap ? node.Children[i + 1] : node.Children[i];
            var repeated = isMap && (names is null ? IsRepeated(node.Children, i) : !names.Add(node.Children[i].Text));
            if (!repeated && value.Children.Length == 0) continue;

            if (isMap) findings.Enter(node.Children[i].Text);
            else findings.Enter(i);
            if (repeated) findings.Error(ReadReasons.DuplicateField, $"{node.Children[i].Text} is written twice; it must be written once", node.Children[i]);
            else ReportDuplicates(value);
            findings.Leave();
        }
    }

    private static bool IsRepeated(Node[] children, int index)
    {
        for (var i = 0; i < index; i += 2)
        {
            if (children[i].Text == children[index].Text) return true;
        }

        return false;
    }

    private static ValueMap MapOf(List<KeyValuePair<string, string>> entries) =>
        entries.Count == 0 ? ValueMap.Empty : new ValueMap(entries);

    /// <summary>What the document is about, as far as it can be told before it is read.</summary>
    private static ResourceRef? RefOf(Node root)
    {
        var kind = TextOf(root.Get("kind"));
        var name = TextOf(root.Get("metadata")?.Get("name"));
        if (kind is null && name is null) return null;

        var space = kind == IngressClass.KindName ? "" : TextOf(root.Get("metadata")?.Get("namespace")) ?? ObjectMeta.DefaultNamespace;
        return new ResourceRef(kind ?? "", space, name ?? "");
    }

    private static string? TextOf(Node? node) => node is { Kind: NodeKind.Scalar, Text.Length: > 0 } ? node.Text : null;
}
