using BenchmarkDotNet.Running;
using StickyIngress.Benchmarks;
using StickyIngress.Benchmarks.Scale;

switch (args)
{
    case ["session-report"]:
        SessionReport.Run(Console.Out);
        break;
    case ["pick-report"]:
        PickReport.Run(Console.Out);
        break;
    case ["compile-report"]:
        CompileReport.Run(Console.Out);
        break;
    case ["bare-forwarder", var scheduling, var port, var tlsPort, var certificate, var key, .. var backends]:
        await BareForwarder.RunAsync(scheduling, int.Parse(port), int.Parse(tlsPort), certificate, key, backends);
        break;
    case ["sync-report"]:
        await SyncReport.RunAsync(Console.Out);
        break;
    case ["scale", .. var options]:
        await ScaleReport.RunAsync(Console.Out, Directory.GetCurrentDirectory(), options);
        break;
    case ["endpoints"]:
        await EndpointsReport.RunAsync(Console.Out);
        break;
    case ["outage", .. var options]:
        await OutageReport.RunAsync(Console.Out, Directory.GetCurrentDirectory(), options);
        break;
    case ["rollout"]:
        if (!await RolloutReport.RunAsync(Console.Out)) Environment.ExitCode = 1;
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        break;
}
