using System.Runtime.InteropServices;

namespace StickyIngress.Proxy.Sockets;

/// <summary>How long a thread may run on a core that others want too before it is their turn; see sched_setattr(2).</summary>
internal static unsafe partial class TimeSlice
{
    /// <summary>Nanoseconds; the kernel takes no less.</summary>
    private const int Shortest = 100_000;

    /// <summary>sched_setattr(2) and sched_getattr(2).</summary>
    private static readonly (nint Set, nint Get) Calls = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? (314, 315) : (274, 275);

    /// <summary>
    /// Has the calling thread run in short pieces and soon instead of long ones and later: as soon as it has something to do it is its turn, where a thread that
    /// encrypts would keep the core for some milliseconds. Its share of the core stays what it was, and nobody has to allow it.
    /// False: the kernel is older than Linux 6.12, or something does not let us; all is as before.
    /// </summary>
    public static bool TryShorten()
    {
        var attributes = new Attributes { Size = (uint)sizeof(Attributes) };
        if (syscall(Calls.Get, 0, &attributes, sizeof(Attributes), 0) != 0) return false;

        attributes.Runtime = Shortest;
        return syscall(Calls.Set, 0, &attributes, 0, 0) == 0;
    }

    [LibraryImport("libc")]
    private static partial nint syscall(nint number, nint thread, Attributes* attributes, nint sizeOrFlags, nint flags);

    /// <summary>struct sched_attr, in its first version.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Attributes
    {
        public uint Size;
        public uint Policy;
        public ulong Flags;
        public int Nice;
        public uint Priority;

        /// <summary>Nanoseconds. For ordinary threads the slice, where the kernel knows that.</summary>
        public ulong Runtime;

        public ulong Deadline;
        public ulong Period;
    }
}
