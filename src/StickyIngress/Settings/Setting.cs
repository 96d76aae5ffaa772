using System.CommandLine;

namespace StickyIngress.Settings;

/// <summary>
/// One setting: an option of the command line, an environment variable (<c>STICKYINGRESS_</c> and the name in upper case with
/// <c>_</c>) and a key of the config file (the option's name without dashes in front). The first of these that is set counts.
/// </summary>
internal sealed record Setting(string Name, string Value, string Description, string? Default = null, bool Many = false, bool Flag = false)
{
    public const string EnvironmentPrefix = "STICKYINGRESS_";

    public Option Option { get; } = Flag
        ? new Option<bool>("--" + Name) { Description = Description }
        : new Option<string[]>("--" + Name)
        {
            Description = Default is null ? Description : $"{Description} [default: {Default}]",
            HelpName = Value,
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
        };

    public string EnvironmentVariable => EnvironmentPrefix + Name.ToUpperInvariant().Replace('-', '_');
}
