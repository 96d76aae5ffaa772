namespace StickyIngress.Core.Sessions;

/// <summary>What learn affinity knows of a request's session.</summary>
/// <param name="HasKey">The client presented an id.</param>
/// <param name="High">First half of the id's keyed hash.</param>
/// <param name="Low">Second half.</param>
/// <param name="Ordinal">The peer that the table named; -1: none.</param>
public readonly record struct SessionLookup(bool HasKey, ulong High, ulong Low, int Ordinal);
