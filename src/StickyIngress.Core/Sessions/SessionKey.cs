using System.Runtime.InteropServices;

namespace StickyIngress.Core.Sessions;

/// <summary>A session id as the table knows it: 128 bits made by <see cref="SessionHasher"/>, never the id itself.</summary>
[StructLayout(LayoutKind.Sequential)]
public readonly record struct SessionKey(ulong High, ulong Low);
