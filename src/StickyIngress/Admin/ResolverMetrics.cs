using Prometheus;
using StickyIngress.Control.Resolving;

namespace StickyIngress.Admin;

/// <summary>Counts what resolvers with a statusZone are asked and answer.</summary>
internal sealed class ResolverMetrics(IMetricFactory factory) : IResolverObserver
{
    private readonly Counter _requests = factory.CreateCounter(
        "stickyingress_resolver_requests_total", "Questions to DNS servers, repetitions included.", ["zone", "type"]);

    private readonly Counter _responses = factory.CreateCounter(
        "stickyingress_resolver_responses_total", "What became of questions to DNS servers.", ["zone", "outcome"]);

    public void Asked(string zone, QuestionKind kind) => _requests.WithLabels(zone, Word(kind)).Inc();

    public void Answered(string zone, QuestionOutcome outcome) => _responses.WithLabels(zone, Word(outcome)).Inc();

    public void Gone(string zone)
    {
        foreach (var kind in Enum.GetValues<QuestionKind>()) _requests.RemoveLabelled(zone, Word(kind));
        foreach (var outcome in Enum.GetValues<QuestionOutcome>()) _responses.RemoveLabelled(zone, Word(outcome));
    }

    private static string Word(QuestionKind kind) => kind switch
    {
        QuestionKind.A => "a",
        QuestionKind.Aaaa => "aaaa",
        _ => "srv",
    };

    private static string Word(QuestionOutcome outcome) => outcome switch
    {
        QuestionOutcome.NoError => "noerror",
        QuestionOutcome.NxDomain => "nxdomain",
        QuestionOutcome.ServFail => "servfail",
        QuestionOutcome.TimedOut => "timedout",
        QuestionOutcome.FormErr => "formerr",
        QuestionOutcome.Refused => "refused",
        _ => "other",
    };
}
