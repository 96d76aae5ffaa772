using StickyIngress.Api;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Core.Variables;

namespace StickyIngress.Control.Compilation;

/// <summary>
/// The user's own variables. One may use another, written before or after it, as long as it does not come back to itself; several of one
/// name are tried in their order.
/// </summary>
internal static class VariablePass
{
    public static void Run(PlanDraft draft)
    {
        if (draft.Spec.Variables.Count > 0) new Resolving(draft).All();
    }

    private sealed class Resolving(PlanDraft draft)
    {
        private readonly HashSet<string> _underWay = [];
        private readonly HashSet<string> _done = [];
        private readonly ILookup<string, (VariableSpec Spec, string Field)> _specs =
            draft.Spec.Variables.Select((spec, i) => (Spec: spec, Field: $"spec.variables[{i}]")).ToLookup(variable => variable.Spec.Name);

        public void All()
        {
            foreach (var name in _specs) Resolve(name.Key);
        }

        private void Resolve(string name)
        {
            if (!_done.Add(name)) return;

            _underWay.Add(name);
            MapVariable? otherwise = null;
            foreach (var (spec, field) in _specs[name].Reverse())
            {
                if (Variable.TryFind(name, out _))
                    draft.Found.Refuse(Reasons.InvalidVariable, $"{field}.name", $"\"${name}\" is built in and cannot be defined again");

                otherwise = Compile(spec, field, otherwise) ?? otherwise;
            }

            _underWay.Remove(name);
            if (otherwise is not null) draft.Variables[name] = otherwise;
        }

        private MapVariable? Compile(VariableSpec spec, string field, MapVariable? otherwise)
        {
            if (!LinearRegex.TryCompile(spec.Match, out var pattern, out var error))
            {
                draft.Found.Refuse(Reasons.InvalidPattern, $"{field}.match", error);
                return null;
            }

            var captures = pattern.GetGroupNames().ToHashSet();
            var from = Parse($"{field}.from", spec.From, name => Find(name, $"{field}.from"));
            var value = Parse($"{field}.value", spec.Value,
                name => captures.Contains(name) ? new(VariableKind.Capture, name) : Find(name, $"{field}.value"));
            return from is null || value is null ? null : new(spec.Name, from, pattern, value, otherwise);
        }

        private Template? Parse(string field, string text, Func<string, Variable?> find)
        {
            if (Template.TryParse(text, find, out var template, out var error)) return template;

            // A use of a variable that is itself broken is not worth a second message.
            if (!draft.Found.Refused || !error.StartsWith("unknown ", StringComparison.Ordinal) || !_specs.Any(known => error.Contains($"\"{known.Key}\"", StringComparison.Ordinal)))
                draft.Found.Refuse(error.StartsWith("unknown ", StringComparison.Ordinal) ? Reasons.UnknownVariable : Reasons.InvalidTemplate, field, error);
            return null;
        }

        private Variable? Find(string name, string field)
        {
            if (!_specs.Contains(name)) return null;

            if (_underWay.Contains(name))
            {
                draft.Found.Refuse(Reasons.VariableCycle, field, $"\"${name}\" is defined by itself");
                return null;
            }

            Resolve(name);
            return draft.Variables.TryGetValue(name, out var map) ? new(VariableKind.Map, name, map) : null;
        }
    }
}
