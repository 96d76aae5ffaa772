using StickyIngress.Settings;

namespace StickyIngress.Demo;

/// <summary>The demo's manifests, which the build puts beside the program.</summary>
internal static class DemoManifests
{
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "demo");

    public static string WhatToTry(ServeSettings settings)
    {
        var url = $"http://localhost:{settings.Http.Port}";
        return $"""

            Serving on {url}, admin on http://localhost:{settings.Admin.Port}; backends a, b and c. Ctrl-C stops.
            Every line says which backend answered; with a cookie jar it is always the same one.

              cookie   curl -c jar -b jar {url}/
              route    curl -c jar -b jar {url}/route
              learn    curl -c jar -b jar {url}/learn

            Without -c and -b the backends take turns. See what is known:

              curl http://localhost:{settings.Admin.Port}/api/v1/upstreams
              curl http://localhost:{settings.Admin.Port}/metrics

            Edit {Path.Combine(Folder, "demo.yaml")} and it is followed at once.


            """;
    }
}
