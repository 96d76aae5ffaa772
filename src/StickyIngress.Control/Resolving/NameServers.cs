using System.Diagnostics.CodeAnalysis;
using System.Net;
using DnsClient;
using DnsClient.Protocol;

namespace StickyIngress.Control.Resolving;

/*
 * The servers of one resolver.
 *
 * Turns:    each question begins with the server after the one that the question before began with. A server that is silent for the
 *           resend time, or cannot answer, leaves the question to the next.
 * An end:   the name is there or not, every server has failed, or the resolver's timeout is over.
 * Herds:    only so many questions are under way at once; others wait for a place, and the wait does not count as silence.
 */
[SuppressMessage("Design", "CA1001", Justification = "the semaphore holds nothing without its wait handle, and whoever was told to stop may still leave it")]
internal sealed class NameServers(ResolverSettings settings, ILookupClient client, ResolverStatistics statistics, TimeProvider time)
{
    /// <summary>As many as a small resolver takes without dropping any.</summary>
    internal const int AtOnce = 64;

    private static readonly TimeSpan Resend = TimeSpan.FromSeconds(5);

    /// <summary>Our own limits end a question, by our clock; the payload is what crosses any network in one piece.</summary>
    private static readonly DnsQueryOptions Options = new()
    {
        Timeout = Timeout.InfiniteTimeSpan,
        Retries = 0,
        UseCache = false,
        UseTcpFallback = true,
        ThrowDnsErrors = false,
        ContinueOnDnsError = false,
        ContinueOnEmptyResponse = false,
        ExtendedDnsBufferSize = 1232,
    };

    private readonly SemaphoreSlim _places = new(AtOnce);
    private int _turn = -1;

    public ResolverSettings Settings => settings;

    /// <summary>The answer section; empty unless the outcome is <see cref="QuestionOutcome.NoError"/>.</summary>
    public async Task<(QuestionOutcome Outcome, IReadOnlyList<DnsResourceRecord> Answers)> AskAsync(
        DnsQuestion question, CancellationToken cancellationToken)
    {
        var turn = (uint)Interlocked.Increment(ref _turn);
        var spent = TimeSpan.Zero;
        var failures = 0;
        while (true)
        {
            var limit = settings.Timeout == TimeSpan.Zero || settings.Timeout - spent > Resend ? Resend : settings.Timeout - spent;
            if (limit <= TimeSpan.Zero) return (QuestionOutcome.TimedOut, []);

            var server = settings.Servers[(int)(turn++ % (uint)settings.Servers.Length)];
            var (outcome, answers, took) = await TryAsync(server, question, limit, cancellationToken);
            if (outcome is QuestionOutcome.NoError or QuestionOutcome.NxDomain) return (outcome, answers);
            if (outcome != QuestionOutcome.TimedOut && ++failures >= settings.Servers.Length) return (outcome, []);

            spent += took;
        }
    }

    private async Task<(QuestionOutcome Outcome, IReadOnlyList<DnsResourceRecord> Answers, TimeSpan Took)> TryAsync(
        IPEndPoint server, DnsQuestion question, TimeSpan limit, CancellationToken cancellationToken)
    {
        await _places.WaitAsync(cancellationToken);
        try
        {
            statistics.Asked(settings.StatusZone, Kind(question.QuestionType));
            var started = time.GetTimestamp();
            var (outcome, answers) = await SendAsync(server, question, limit, cancellationToken);
            statistics.Answered(settings.StatusZone, outcome);
            return (outcome, answers, time.GetElapsedTime(started));
        }
        finally
        {
            _places.Release();
        }
    }

    private async Task<(QuestionOutcome Outcome, IReadOnlyList<DnsResourceRecord> Answers)> SendAsync(
        IPEndPoint server, DnsQuestion question, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var over = new CancellationTokenSource(limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(over.Token, cancellationToken);
        try
        {
            var response = await client.QueryServerAsync([new NameServer(server)], question, Options, either.Token);
            var outcome = Outcome(response.Header.ResponseCode);
            return (outcome, outcome == QuestionOutcome.NoError ? response.Answers : []);
        }
        catch (Exception)
        {
            // Silence, a refused connection, bytes that are no DNS message, or the end: the client has an exception of its own for each.
            cancellationToken.ThrowIfCancellationRequested();
            return (over.IsCancellationRequested ? QuestionOutcome.TimedOut : QuestionOutcome.Other, []);
        }
    }

    private static QuestionKind Kind(QueryType type) => type switch
    {
        QueryType.A => QuestionKind.A,
        QueryType.AAAA => QuestionKind.Aaaa,
        _ => QuestionKind.Srv,
    };

    private static QuestionOutcome Outcome(DnsHeaderResponseCode code) => code switch
    {
        DnsHeaderResponseCode.NoError => QuestionOutcome.NoError,
        DnsHeaderResponseCode.NotExistentDomain => QuestionOutcome.NxDomain,
        DnsHeaderResponseCode.ServerFailure => QuestionOutcome.ServFail,
        DnsHeaderResponseCode.FormatError => QuestionOutcome.FormErr,
        DnsHeaderResponseCode.Refused => QuestionOutcome.Refused,
        _ => QuestionOutcome.Other,
    };
}
