using System.Text.Json.Serialization;

namespace StickyIngress.Admin;

/// <summary>An upstream as the admin port tells it.</summary>
internal sealed record UpstreamModel(string Namespace, string Name, string? Affinity, IReadOnlyList<PeerModel> Peers);

/// <summary>
/// A peer. <paramref name="Sessions"/> is exact for learn, an estimate of clients for cookies, as <paramref name="SessionsEstimated"/> says, and both are
/// absent where sessions are not counted; <paramref name="Overrides"/> is absent where all is as configured.
/// </summary>
internal sealed record PeerModel(
    string Name, string Address, string Server, string State, bool Backup, bool Down, bool Drain, int Weight, double EffectiveWeight, int Active, int MaxConns,
    int Fails, long Selected, long Failed, long? Sessions, bool? SessionsEstimated, OverridesModel? Overrides);

/// <summary>What of a peer was set at run time.</summary>
internal sealed record OverridesModel(bool? Down, bool? Drain, int? Weight);

/// <summary>
/// The sessions of an upstream, and where the one that was asked for is bound. The counts of <paramref name="Peers"/> are as exact as a peer's own.
/// </summary>
internal sealed record SessionsModel(
    string Namespace, string Name, string Mode, long? Entries, long? Capacity, IReadOnlyDictionary<string, long>? Peers, bool? SessionsEstimated,
    SessionModel? Session);

/// <summary>One session: known or not, and the peer.</summary>
internal sealed record SessionModel(bool Known, string? Peer);

/// <summary>One finding about one resource.</summary>
internal sealed record DiagnosticModel(
    string Severity, string Reason, string? Kind, string? Namespace, string? Name, string Field, string Message, string? File, int? Line);

/// <summary>How the draining of a peer ended (drained, timeout, gone), with what is left of it; counts as a peer's own.</summary>
internal sealed record DrainModel(string State, long? Sessions, bool? SessionsEstimated, int Active);

/// <summary>What went wrong with a request to the admin port.</summary>
internal sealed record ErrorModel(string Error);

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, WriteIndented = true)]
[JsonSerializable(typeof(IReadOnlyList<UpstreamModel>))]
[JsonSerializable(typeof(UpstreamModel))]
[JsonSerializable(typeof(PeerModel))]
[JsonSerializable(typeof(SessionsModel))]
[JsonSerializable(typeof(IReadOnlyList<DiagnosticModel>))]
[JsonSerializable(typeof(DrainModel))]
[JsonSerializable(typeof(ErrorModel))]
internal sealed partial class AdminJson : JsonSerializerContext;
