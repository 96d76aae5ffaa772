namespace StickyIngress.Core.Sessions;

/// <summary>What a table may hold.</summary>
/// <param name="Capacity">Sessions at most; at least 1.</param>
/// <param name="Timeout">How long an unused session is remembered; more than zero.</param>
public sealed record SessionTableOptions(int Capacity, TimeSpan Timeout);
