using BenchmarkDotNet.Running;
using StickyIngress.Benchmarks;

if (args is ["session-report"])
    SessionReport.Run(Console.Out);
else if (args is ["compile-report"])
    CompileReport.Run(Console.Out);
else
    BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
