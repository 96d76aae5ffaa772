using System.Collections.Immutable;
using StickyIngress.Api;

namespace StickyIngress.Control.Compilation;

/// <summary>When the certificates in use end: the one cause of a diagnostic that no change brings.</summary>
internal sealed class CertificateEnds
{
    private readonly ImmutableDictionary<ResourceRef, DateTimeOffset> _ends;
    private readonly DateTimeOffset _judged;

    private CertificateEnds(ImmutableDictionary<ResourceRef, DateTimeOffset> ends, DateTimeOffset judged)
    {
        (_ends, _judged) = (ends, judged);
        foreach (var (_, end) in ends)
        {
            if (end > judged && !(end >= Next)) Next = end;
        }
    }

    public static CertificateEnds None { get; } = new(ImmutableDictionary<ResourceRef, DateTimeOffset>.Empty, DateTimeOffset.MinValue);

    /// <summary>The first that had not ended when they were last judged; null: there is none.</summary>
    public DateTimeOffset? Next { get; }

    /// <summary>The Secrets whose certificate has ended since they were last judged.</summary>
    public IEnumerable<ResourceRef> EndedBy(DateTimeOffset now) =>
        Next <= now ? _ends.Where(known => known.Value > _judged && known.Value <= now).Select(known => known.Key) : [];

    /// <summary>As the compile found them. Nothing is done where it read no certificate and none has ended.</summary>
    public static CertificateEnds After(CompileRun run)
    {
        var now = run.Now;
        var former = run.Previous.CertificateEnds;
        var read = run.Secrets.TlsSecrets.ToArray();
        if (read.Length == 0 && !(former.Next <= now)) return former;

        var ends = former._ends.ToBuilder();
        foreach (var (named, secret) in read)
        {
            if (secret.Certificate is { } certificate) ends[named] = certificate.NotAfter;
            else ends.Remove(named);
        }

        ends.RemoveRange([.. ends.Keys.Where(named => !run.Users.ContainsKey(named))]);
        return new(ends.ToImmutable(), now);
    }
}
