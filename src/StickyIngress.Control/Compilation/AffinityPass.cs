using System.Collections.Immutable;
using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core.Affinity;
using StickyIngress.Core.Variables;

namespace StickyIngress.Control.Compilation;

/// <summary>The texts of the affinity: what names the peer, what makes and finds a session, and what the cookie says.</summary>
internal static class AffinityPass
{
    public static void Run(PlanDraft draft)
    {
        if (draft.Spec.Sticky is { OnUnavailable: not OnUnavailable.Fail, FailStatus: not Defaults.FailStatus and var status })
            draft.Found.Warn(Reasons.NoEffect, "spec.sticky.failStatus", $"failStatus is {status} and has no effect; it needs onUnavailable Fail");

        draft.Affinity = draft.Spec.Sticky switch
        {
            { Cookie: { } cookie } => Cookie(draft, cookie),
            { Route: { } route } => new() { From = Variables(draft, "spec.sticky.route.from", route.From, Moment.Request) },
            { Learn: { } learn } => Learn(draft, learn),
            _ => null,
        };
    }

    private static AffinityPlan Learn(PlanDraft draft, StickyLearnSpec learn)
    {
        if (learn.Zone is { Size: null })
            draft.Found.Refuse(Reasons.ZoneSizeMissing, "spec.sticky.learn.zone.size", "zone size is not specified");

        return new()
        {
            Create = Variables(draft, "spec.sticky.learn.create", learn.Create, Moment.Response),
            Lookup = Variables(draft, "spec.sticky.learn.lookup", learn.Lookup, Moment.Request),
        };
    }

    private static AffinityPlan Cookie(PlanDraft draft, StickyCookieSpec cookie)
    {
        CheckAttribute(draft, "spec.sticky.cookie.path", cookie.Path);

        var domain = draft.Text("spec.sticky.cookie.domain", cookie.Domain ?? "", Moment.Try);
        if (domain.IsLiteral) CheckAttribute(draft, "spec.sticky.cookie.domain", domain.Text);

        var sameSite = draft.Text("spec.sticky.cookie.sameSite", cookie.SameSite ?? "", Moment.Try);
        if (sameSite.IsLiteral && sameSite.Text.ToLowerInvariant() is not ("" or "strict" or "lax" or "none"))
        {
            draft.Found.Refuse(Reasons.InvalidCookieAttribute, "spec.sticky.cookie.sameSite",
                $"\"{sameSite}\" must be Strict, Lax, None or a variable");
        }

        return new()
        {
            Domain = domain,
            SameSite = sameSite,
        };
    }

    private static void CheckAttribute(PlanDraft draft, string field, string value)
    {
        if (CookieSettings.IsAttributeValue(value)) return;

        draft.Found.Refuse(Reasons.InvalidCookieAttribute, field,
            $"\"{value}\" cannot stand in a cookie: printable ASCII without ';' can");
    }

    /// <summary>Texts that must each be one variable: anything more would never be empty, and so never yield to the next.</summary>
    private static ImmutableArray<Template> Variables(PlanDraft draft, string field, IReadOnlyList<string> texts, Moment moment)
    {
        var templates = ImmutableArray.CreateBuilder<Template>(texts.Count);
        for (var i = 0; i < texts.Count; i++)
        {
            var template = draft.Text($"{field}[{i}]", texts[i], moment);
            if (template.SingleVariable is null && template.Text == texts[i])
                draft.Found.Refuse(Reasons.InvalidVariable, $"{field}[{i}]", $"invalid variable name \"{texts[i]}\"; it must be one variable, such as $cookie_sid");

            templates.Add(template);
        }

        return templates.ToImmutable();
    }
}
