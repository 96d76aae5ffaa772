using System.Net;
using System.Runtime.InteropServices;

namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// What an <see cref="EventLoop"/> needs of Linux and the runtime has no API for, or only one that makes further objects for each socket; see epoll(7),
/// connect(2), recv(2) and send(2).
/// </summary>
internal static partial class Epoll
{
    public const uint In = 0x1;
    public const uint Out = 0x4;
    public const uint Error = 0x8;
    public const uint HangUp = 0x10;
    public const uint ReadHangUp = 0x2000;

    /// <summary>An event is told once, when it comes, and not for as long as it lasts.</summary>
    public const uint EdgeTriggered = 1u << 31;

    private const int AddControl = 1;
    private const int CloseOnExec = 0x80000;
    private const int DontWait = 0x40;
    private const int NoSignal = 0x4000;
    private const int Peek = 0x2;
    private const int Interrupted = 4;
    private const int TryAgain = 11;
    private const int InProgress = 115;

    /// <summary>The struct is packed on x86 alone.</summary>
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    public static readonly int EventSize = DataOffset + 8;

    /// <summary>recvfrom(2) and sendto(2).</summary>
    private static readonly (nint Receive, nint Send) Calls = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? (45, 44) : (207, 206);

    public static bool IsSupported { get; } =
        OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.Arm64;

    /// <exception cref="IOException">The system gives no more of them.</exception>
    public static int Create()
    {
        var poll = epoll_create1(CloseOnExec);
        return poll >= 0 ? poll : throw Failure("epoll_create1");
    }

    /// <summary>From now on the socket's events are told, with <paramref name="data"/>; until it is closed.</summary>
    public static unsafe void Add(int poll, SafeHandle socket, uint events, ulong data)
    {
        var entry = stackalloc byte[16];
        MemoryMarshal.Write(new(entry, 4), events);
        MemoryMarshal.Write(new(entry + DataOffset, 8), data);
        if (epoll_ctl(poll, AddControl, socket, entry) != 0) throw Failure("epoll_ctl");
    }

    /// <summary>Waits for events; their number.</summary>
    public static unsafe int Wait(int poll, Span<byte> entries)
    {
        fixed (byte* first = entries)
        {
            while (true)
            {
                var count = epoll_wait(poll, first, entries.Length / EventSize, -1);
                if (count >= 0) return count;
                if (Marshal.GetLastPInvokeError() != Interrupted) throw Failure("epoll_wait");
            }
        }
    }

    public static (uint Events, ulong Data) Read(ReadOnlySpan<byte> entries, int index)
    {
        var entry = entries.Slice(index * EventSize, EventSize);
        return (MemoryMarshal.Read<uint>(entry), MemoryMarshal.Read<ulong>(entry[DataOffset..]));
    }

    /// <summary>Begins to connect a socket that does not block; true: it is connected already.</summary>
    /// <exception cref="IOException">It cannot be.</exception>
    public static bool Connect(SafeHandle socket, SocketAddress address)
    {
        if (connect(socket, address.Buffer.Span, address.Size) == 0) return true;
        if (Marshal.GetLastPInvokeError() is InProgress or Interrupted) return false;
        throw Failure("connect");
    }

    /// <summary>Takes what has come, without waiting: its length, 0 at the end; -1: nothing yet.</summary>
    /// <param name="peek">It is left there.</param>
    /// <exception cref="IOException">The connection is broken.</exception>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public static unsafe int Receive(SafeHandle socket, Span<byte> buffer, bool peek = false)
    {
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                var count = syscall(Calls.Receive, socket, bytes, buffer.Length, peek ? DontWait | Peek : DontWait, 0, 0);
                if (count >= 0) return (int)count;
                if (Marshal.GetLastPInvokeError() == TryAgain) return -1;
                if (Marshal.GetLastPInvokeError() != Interrupted) throw Failure("recv");
            }
        }
    }

    /// <summary>Gives bytes to the system, without waiting: as many as it takes, 0: none for now.</summary>
    /// <exception cref="IOException">The connection is broken.</exception>
    /// <exception cref="ObjectDisposedException">It was closed.</exception>
    public static unsafe int Send(SafeHandle socket, ReadOnlySpan<byte> buffer)
    {
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                var count = syscall(Calls.Send, socket, bytes, buffer.Length, DontWait | NoSignal, 0, 0);
                if (count >= 0) return (int)count;
                if (Marshal.GetLastPInvokeError() == TryAgain) return 0;
                if (Marshal.GetLastPInvokeError() != Interrupted) throw Failure("send");
            }
        }
    }

    private static IOException Failure(string call) => new($"{call}: {Marshal.GetLastPInvokeErrorMessage()}");

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int epoll_ctl(int poll, int operation, SafeHandle socket, byte* entry);

    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int epoll_wait(int poll, byte* entries, int count, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int connect(SafeHandle socket, ReadOnlySpan<byte> address, int size);

    /*
     * libc's recv and send do the same as recvfrom and sendto, but make each call a point where the thread may be cancelled, which costs two atomic
     * operations and is for nobody here.
     */
    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial nint syscall(nint number, SafeHandle socket, byte* bytes, nint count, nint flags, nint address, nint addressSize);
}
