using System.Runtime.InteropServices;

namespace StickyIngress.Core.Sessions;

/// <summary>One session on its way out of a table or into one.</summary>
[StructLayout(LayoutKind.Auto)]
public readonly record struct SessionRecord(SessionKey Key, int Ordinal, TimeSpan Age, bool IsProtected);
