using System.CommandLine;
using StickyIngress.Settings;

namespace StickyIngress.Commands;

/// <summary>The commands and their options, as docs and <c>--help</c> show them.</summary>
internal static class CommandLine
{
    private const int Failure = 1;

    public static Task<int> RunAsync(string[] args) => RunAsync(args, StandardOutput.Text, StandardOutput.Error);

    public static async Task<int> RunAsync(string[] args, TextWriter output, TextWriter error)
    {
        var root = new RootCommand("StickyIngress: sticky sessions for Kubernetes, as nginx has them and better.")
        {
            Serve("run", "Serve the upstreams that are declared in files or in a cluster.", demo: false, error),
            Serve("demo", "Serve demo upstreams with backends in this process; needs nothing else.", demo: true, error),
            Validate(output, error),
            Crd(output),
            ImportNginx(output, error),
        };

        // Signals are the host's: this library would end the process two seconds after the first one.
        return await root.Parse(args).InvokeAsync(new() { Output = output, Error = error, ProcessTerminationTimeout = null });
    }

    private static Command Serve(string name, string description, bool demo, TextWriter error)
    {
        var command = new Command(name, description);
        foreach (var setting in SettingList.All) command.Add(setting.Option);
        command.SetAction(async (parsed, cancellationToken) =>
        {
            var settings = SettingsReader.Read(parsed, Environment.GetEnvironmentVariables(), out var mistakes);
            if (settings is not null) return await ServeCommand.RunAsync(settings, demo, error, cancellationToken);

            foreach (var mistake in mistakes) await error.WriteLineAsync(mistake);
            return Failure;
        });
        return command;
    }

    private static Command Validate(TextWriter output, TextWriter error)
    {
        var files = new Argument<string[]>("FILE") { Description = "Files or directories.", Arity = ArgumentArity.OneOrMore };
        var ingressClass = new Option<string>("--ingress-class") { Description = "Judge the files as the installation of this class would." };
        var command = new Command("validate", "Compile files as run would and print each diagnostic; exit code 1 where there is an error.") { files, ingressClass };
        command.SetAction((parsed, cancellationToken) =>
            ValidateCommand.RunAsync(parsed.GetValue(files)!, parsed.GetValue(ingressClass), output, error, cancellationToken));
        return command;
    }

    private static Command Crd(TextWriter output)
    {
        var command = new Command("crd", "Print the CustomResourceDefinition.");
        command.SetAction(_ => output.Write(Api.CrdWriter.Write()));
        return command;
    }

    private static Command ImportNginx(TextWriter output, TextWriter error)
    {
        var file = new Argument<string>("FILE") { Description = "The main configuration file; what it includes is read too." };
        var into = new Option<string>("--namespace") { Description = "Namespace of the resources.", DefaultValueFactory = _ => Api.ObjectMeta.DefaultNamespace };
        var strict = new Option<bool>("--strict") { Description = "Exit code 1 where a directive has no counterpart." };
        var command = new Command("import-nginx", "Print an nginx configuration as StickyUpstreams; what has no counterpart is listed on stderr.") { file, into, strict };
        command.SetAction((parsed, _) =>
            ImportNginxCommand.RunAsync(parsed.GetValue(file)!, parsed.GetValue(into)!, parsed.GetValue(strict), output, error));
        return command;
    }
}
