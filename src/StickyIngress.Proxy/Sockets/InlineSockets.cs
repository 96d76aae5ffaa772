using System.Net.Sockets;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace StickyIngress.Proxy.Sockets;

/// <summary>
/// Chooses the sockets whose events are handled on the thread that saw them, without a hop to the thread pool: those between clients and peers that
/// carry plain HTTP/1.1. Everything else in the process keeps to the thread pool, so that a TLS handshake, a page of metrics or a compilation
/// cannot hold up requests.
/// </summary>
/*
 * The runtime has one documented switch for all sockets of a process (DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS). What it sets is a property of
 * each socket's handle that is not public; it is set here for one socket at a time. A runtime without it serves all the same, with more CPU.
 */
public static class InlineSockets
{
    /// <summary>Read by the runtime when the first socket is made: how many threads see events.</summary>
    private const string ThreadCount = "DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT";

    private static volatile bool _isSupported = true;

    /// <summary>Whether this runtime knows what we ask of it, as far as it was asked.</summary>
    public static bool IsSupported => _isSupported;

    /// <summary>One thread for each core, as the documented switch would have it; before the first socket.</summary>
    public static void Prepare()
    {
        if (Environment.GetEnvironmentVariable(ThreadCount) is null)
            Environment.SetEnvironmentVariable(ThreadCount, Environment.ProcessorCount.ToString());
    }

    /// <summary>For an endpoint that takes plain HTTP/1.1 alone.</summary>
    public static void UseInlineSockets(this ListenOptions listen) => listen.Use(next => connection =>
    {
        if (connection.Features.Get<IConnectionSocketFeature>() is { Socket: { } socket }) Use(socket);
        return next(connection);
    });

    internal static void Use(Socket socket) => TrySet(socket, true);

    /// <summary>Back to the thread pool; false: it was there.</summary>
    internal static bool TryLeave(Socket socket) => TrySet(socket, false);

    /// <summary>False where nothing changed.</summary>
    private static bool TrySet(Socket socket, bool inline)
    {
        if (!_isSupported) return false;

        try
        {
            var handle = socket.SafeHandle;
            if (GetPreferInlineCompletions(handle) == inline) return false;

            SetPreferInlineCompletions(handle, inline);
            return true;
        }
        catch (MissingMethodException)
        {
            return _isSupported = false;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "get_PreferInlineCompletions")]
    private static extern bool GetPreferInlineCompletions(SafeSocketHandle handle);

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_PreferInlineCompletions")]
    private static extern void SetPreferInlineCompletions(SafeSocketHandle handle, bool value);
}
