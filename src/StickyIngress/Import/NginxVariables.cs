using System.Collections.Frozen;

namespace StickyIngress.Import;

/// <summary>Variables of nginx that have no counterpart under their own name.</summary>
internal static class NginxVariables
{
    /// <summary>Those that are the same as one of ours.</summary>
    public static readonly FrozenDictionary<string, string> Aliases = new Dictionary<string, string>
    {
        ["document_uri"] = "uri",
        ["query_string"] = "args",
    }.ToFrozenDictionary();

    /// <summary>Ours alone: nginx does not know them unless the configuration defines them.</summary>
    public static readonly FrozenSet<string> OnlyOurs = FrozenSet.Create("peer", "sticky_outcome", "sticky_reason");

    private static readonly FrozenSet<string> Others = FrozenSet.Create(
        "binary_remote_addr", "body_bytes_sent", "bytes_sent", "connection", "connection_requests", "connection_time", "content_length",
        "content_type", "date_gmt", "date_local", "document_root", "fastcgi_path_info", "fastcgi_script_name", "gzip_ratio", "hostname", "http2", "http3",
        "https", "invalid_referer", "is_args", "is_request_port", "limit_conn_status", "limit_rate", "limit_req_status", "memcached_key", "nginx_version",
        "pid", "pipe", "proxy_add_x_forwarded_for", "proxy_host", "proxy_port", "proxy_protocol_addr", "proxy_protocol_port",
        "proxy_protocol_server_addr", "proxy_protocol_server_port", "realip_remote_addr", "realip_remote_port", "realpath_root", "remote_user",
        "request", "request_body", "request_body_file", "request_completion", "request_filename", "request_length", "request_port",
        "secure_link", "secure_link_expires", "server_addr", "server_name", "server_protocol", "session_log_id", "slice_range",
        "time_iso8601", "time_local", "uid_got", "uid_reset", "uid_set", "upstream_last_addr");

    private static readonly string[] Prefixes =
        ["geoip_", "jwt_", "otel_", "proxy_protocol_tlv_", "sent_http_", "sent_trailer_", "ssl_", "tcpinfo_"];

    public static bool IsKnown(string name) =>
        Others.Contains(name) || Prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.Ordinal)) || name.All(char.IsAsciiDigit);
}
