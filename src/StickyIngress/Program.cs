using StickyIngress.Commands;
using StickyIngress.Proxy.Sockets;

InlineSockets.Prepare();
return await CommandLine.RunAsync(args);
