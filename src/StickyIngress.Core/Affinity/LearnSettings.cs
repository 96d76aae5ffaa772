using System.Collections.Immutable;
using StickyIngress.Core.Variables;

namespace StickyIngress.Core.Affinity;

/// <summary>What <see cref="LearnAffinity"/> learns from, as configured.</summary>
/// <param name="Create">The first that is not empty is the id of a session that may be new.</param>
/// <param name="Lookup">The first that is not empty is the id that the client presents.</param>
/// <param name="Header">Learn when the response header arrives, not when the response ends.</param>
public sealed record LearnSettings(ImmutableArray<Template> Create, ImmutableArray<Template> Lookup, bool Header);
