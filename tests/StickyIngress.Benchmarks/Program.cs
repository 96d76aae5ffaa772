using BenchmarkDotNet.Running;
using StickyIngress.Benchmarks;

switch (args)
{
    case ["session-latency"]:
        SessionLatencyReport.Run(Console.Out);
        break;
    case ["compile-report"]:
        CompileReport.Run(Console.Out);
        break;
    case ["bare-forwarder", var port, .. var backends]:
        await BareForwarder.RunAsync(int.Parse(port), backends);
        break;
    default:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
        break;
}
