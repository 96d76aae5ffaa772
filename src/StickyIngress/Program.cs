using StickyIngress.Commands;

return await CommandLine.RunAsync(args);
