using System.Text.Json.Serialization;
using StickyIngress.Core.Upstreams;

namespace StickyIngress.Sync;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(string[]))]
[JsonSerializable(typeof(PeerOverride))]
internal sealed partial class SharedPeersJson : JsonSerializerContext;
