using StickyIngress.Control;
using StickyIngress.Control.Diagnostics;
using StickyIngress.Control.Sources;

namespace StickyIngress.Commands;

/// <summary><c>sticky-ingress validate</c>: what run would say of these files.</summary>
internal static class ValidateCommand
{
    public static async Task<int> RunAsync(
        IReadOnlyList<string> files, string? ingressClass, TextWriter output, TextWriter error, CancellationToken cancellationToken)
    {
        var missing = files.Where(file => !File.Exists(file) && !Directory.Exists(file)).ToArray();
        foreach (var file in missing) await error.WriteLineAsync($"{file}: no such file or directory");
        if (missing.Length > 0) return 1;

        var validation = await Validation.RunAsync(
            files, ingressClass ?? "sticky", new SystemHostResolver(), TimeProvider.System, cancellationToken);
        foreach (var diagnostic in validation.Diagnostics) await output.WriteLineAsync(diagnostic.ToString());

        var errors = validation.Diagnostics.Count(diagnostic => diagnostic.Severity == Severity.Error);
        var summary = $"{validation.Upstreams} upstreams, {errors} errors, {validation.Diagnostics.Length - errors} warnings";
        await (errors == 0 ? output : error).WriteLineAsync(summary);
        return errors == 0 ? 0 : 1;
    }
}
