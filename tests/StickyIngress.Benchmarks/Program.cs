using BenchmarkDotNet.Running;
using StickyIngress.Benchmarks;

if (args is ["session-latency"])
    SessionLatencyReport.Run(Console.Out);
else
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
