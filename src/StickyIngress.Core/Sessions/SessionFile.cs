namespace StickyIngress.Core.Sessions;

/*
 * Sessions in a file, so that a restart keeps them.
 *
 * Layout:   the magic and a version, then blocks: kind, payload length, payload, XxHash64 of all that (its seed is the
 *           block's number, so blocks cannot change places). First the header (time of writing, fingerprint of the secret,
 *           and the secret itself, wrapped by whoever writes, or nothing), for each
 *           zone a zone block (name, timeout, peers by ordinal) and record blocks, and at last the end block with the
 *           number of records. All numbers are little-endian.
 * Privacy:  records hold keyed hashes, never ids; the file is readable by its owner only.
 * Writing:  to a temporary file beside it, flushed to disk, then renamed over it: a crash leaves the old or the new one.
 * Reading:  all or nothing. A file that is torn, foreign, of another version or of another secret is refused whole.
 */

/// <summary>Writes the sessions of zones to a file and reads them back.</summary>
public static class SessionFile
{
    /// <summary>Replaces the file. Throws <see cref="IOException"/> when that fails; the old file stays then.</summary>
    public static void Write(
        string path, IEnumerable<SessionZone> zones, ReadOnlySpan<byte> fingerprint, ReadOnlySpan<byte> wrappedSecret, TimeProvider time)
    {
        var temporary = path + ".tmp";
        var options = new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            BufferSize = 0, // blocks are buffers already
        };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

        using (var stream = new FileStream(temporary, options))
        {
            var writer = new SessionFileWriter(stream);
            writer.WriteHeader(time.GetUtcNow(), fingerprint, wrappedSecret);
            foreach (var zone in zones) writer.WriteZone(zone);
            writer.WriteEnd();
            stream.Flush(flushToDisk: true);
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>The wrapped secret of the file; empty where it has none or cannot be read.</summary>
    public static byte[] ReadWrappedSecret(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            return new SessionFileReader(stream, default, []).ReadWrappedSecret();
        }
        catch (Exception e) when (e is SessionFileException or IOException or UnauthorizedAccessException)
        {
            // Reading the whole file will say what is wrong with it.
            return [];
        }
    }

    /// <summary>
    /// Reads the file. Ages count the time since it was written; sessions that are due by the timeout they were saved with are
    /// left out. Whatever is wrong with the file is an outcome, never an exception.
    /// </summary>
    public static SessionFileResult Read(string path, ReadOnlySpan<byte> fingerprint, TimeProvider time)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
            var zones = new SessionFileReader(stream, time.GetUtcNow(), fingerprint.ToArray()).Read();
            var sessions = zones.Sum(zone => zone.Records.Count);
            return new(SessionFileOutcome.Loaded, $"read {sessions} sessions of {zones.Count} zones from {path}", zones);
        }
        catch (SessionFileException e)
        {
            return new(e.Outcome, $"{path} {e.Message}; it is not used", []);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return new(SessionFileOutcome.Missing, $"{path} does not exist", []);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return new(SessionFileOutcome.Unreadable, $"{path} cannot be read: {e.Message}", []);
        }
    }
}

/// <summary>Why a file is refused; the message goes on from its path.</summary>
internal sealed class SessionFileException(SessionFileOutcome outcome, string message) : Exception(message)
{
    public SessionFileOutcome Outcome { get; } = outcome;
}
