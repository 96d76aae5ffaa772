namespace StickyIngress.Settings;

/// <summary>All settings of run and demo.</summary>
internal static class SettingList
{
    public const string Config = "config";
    public const string Manifests = "manifests";
    public const string Kubernetes = "kubernetes";
    public const string Http = "http";
    public const string Https = "https";
    public const string H2c = "h2c";
    public const string Admin = "admin";
    public const string AdminChangesFrom = "admin-changes-from";
    public const string TrustedProxies = "trusted-proxies";
    public const string IngressClass = "ingress-class";
    public const string Namespace = "namespace";
    public const string Kubeconfig = "kubeconfig";
    public const string PublishService = "publish-service";
    public const string LeaderElection = "leader-election";
    public const string CacheFolder = "cache-dir";
    public const string Resolver = "resolver";
    public const string AccessLog = "access-log";
    public const string LogLevel = "log-level";
    public const string AffinityKeys = "affinity-keys";
    public const string SessionFile = "session-file";
    public const string SessionFileInterval = "session-file-interval";
    public const string State = "state";
    public const string SyncStore = "sync-store";
    public const string SyncPasswordFile = "sync-password-file";
    public const string SyncCa = "sync-ca";
    public const string SyncPrefix = "sync-prefix";
    public const string SyncPeers = "sync-peers";
    public const string SyncReadBudget = "sync-read-budget";
    public const string SyncMaxReads = "sync-max-reads";
    public const string ShutdownGrace = "shutdown-grace";
    public const string DrainTimeout = "drain-timeout";

    public static IReadOnlyList<Setting> All { get; } =
    [
        new(Manifests, "DIR", "Serve what the YAML files of this directory declare, and follow their changes. Repeatable.", Many: true),
        new(Kubernetes, "", "Serve what the cluster declares that this pod or kubeconfig belongs to.", Flag: true),
        new(Http, "ADDR:PORT", "Where http is served.", "0.0.0.0:8080"),
        new(Https, "ADDR:PORT", "Where https is served once there is a certificate.", "0.0.0.0:8443"),
        new(H2c, "ADDR:PORT", "Where HTTP/2 without TLS is served, for gRPC; off unless set."),
        new(Admin, "ADDR:PORT", "Where health, metrics and the API are served.", "127.0.0.1:9090; in a pod 0.0.0.0:9090"),
        new(AdminChangesFrom, "CIDR", "Who besides this machine may change peers through the admin port. Repeatable.", Many: true),
        new(TrustedProxies, "CIDR", "Whose X-Forwarded headers are believed; anybody else's are replaced. Repeatable.", Many: true),
        new(IngressClass, "NAME", "Which ingressClassName this installation serves.", "sticky"),
        new(Namespace, "NAME", "Serve only this namespace. Repeatable.", Many: true),
        new(Kubeconfig, "FILE", "How the cluster is reached; else as kubectl finds it, else by the pod's service account."),
        new(PublishService, "NAMESPACE/NAME", "The Service in front of this installation: its addresses go into the status of Ingresses."),
        new(LeaderElection, "true|false", "Whether replicas agree by a Lease which of them writes status.", "true"),
        new(CacheFolder, "DIR", "Keep what was read from the cluster, Secrets included (mode 0600), so that a start without its API server serves."),
        new(Resolver, "ADDR", "DNS server for names with resolve where the resource names none; port 53 by default. Repeatable.", "those of /etc/resolv.conf", Many: true),
        new(AccessLog, "json|off|FORMAT", "A line for each request on standard output: JSON, none, or a text with variables.", "json"),
        new(LogLevel, "LEVEL", "trace, debug, information, warning, error or critical.", "information"),
        new(AffinityKeys, "FILE", "Keys of opaque cookies, one a line, base64 or text of 16 bytes or more: the first issues, all are accepted. Read again when it changes."),
        new(SessionFile, "FILE", "Where sessions of sticky learn are kept over a restart; needs affinity-keys."),
        new(SessionFileInterval, "TIME", "How often the session file is written while serving.", "60s"),
        new(State, "FILE", "Where changes of peers through the admin port (drain, down, weight) are kept over a restart."),
        new(SyncStore, "STORE", "The Redis or Valkey that replicas share sessions through (learn.sync): redis[s]://[USER@]HOST[:PORT][/DATABASE], or HOST:PORT,... with StackExchange.Redis options; needs affinity-keys."),
        new(SyncPasswordFile, "FILE", "The password for sync-store. Read again when it changes."),
        new(SyncCa, "FILE", "Certificates (PEM) that the certificate of sync-store must lead to, where they are not the system's."),
        new(SyncPrefix, "TEXT", "What keys and channels in sync-store begin with; the same on all replicas, and another for each installation.", "sticky-ingress"),
        new(SyncPeers, "true|false", "Whether changes of peers through the admin port (drain, down, weight) reach all replicas through sync-store.", "false"),
        new(SyncReadBudget, "TIME", "How long a request waits at most for sync-store to say who has its session.", "10ms"),
        new(SyncMaxReads, "NUMBER", "How many requests wait so at a time; others go on at once.", "256"),
        new(ShutdownGrace, "TIME", "How long new connections still work after the signal to stop.", "5s"),
        new(DrainTimeout, "TIME", "How long running requests may then take to end.", "60s"),
        new(Config, "FILE", "A YAML file with any of these settings by name."),
    ];
}
