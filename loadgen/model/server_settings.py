"""Which setting of which server changes what the connection doctor finds, with its default and its documentation.

A row is a topic, which a finding names; docs/probe.md has the whole table. Settings whose default differs from version
to version say so. Knows no finding.
"""

from __future__ import annotations

from typing import NamedTuple


class Setting(NamedTuple):
    """What one server calls it. default: empty where there is none, or where it depends."""

    name: str
    default: str
    source: str


class Topic(NamedTuple):
    """One thing that servers can be told, and what each of them calls it."""

    title: str
    settings: dict[str, Setting]


_SERVER_FIELDS = {
    "nginx": "nginx", "openresty": "nginx", "apache": "Apache", "envoy": "Envoy", "awselb": "AWS ALB",
    "caddy": "Caddy",
    "gunicorn": "gunicorn", "uvicorn": "uvicorn", "hypercorn": "Hypercorn",
}  # fmt: skip
"""How the product in a Server field begins (RFC 9110 §10.2.4), in lower case. HAProxy and Node send none."""
_NGINX = "https://nginx.org/en/docs/http/{}.html#{}"
_APACHE = "https://httpd.apache.org/docs/2.4/mod/{}.html#{}"
_HAPROXY = "https://docs.haproxy.org/3.0/configuration.html"
_ENVOY = "https://www.envoyproxy.io/docs/envoy/latest/{}"
_ENVOY_TIMEOUTS = _ENVOY.format("faq/configuration/timeouts")
_ENVOY_PROTOCOL = _ENVOY.format("api-v3/config/core/v3/protocol.proto")
_ENVOY_MANAGER = _ENVOY.format(
    "api-v3/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto"
)
_ENVOY_TLS = _ENVOY.format("api-v3/extensions/transport_sockets/tls/v3/tls.proto")
_ALB = (
    "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/"
    "application-load-balancers.html#load-balancer-attributes"
)
_NODE = "https://nodejs.org/api/{}.html#{}"
_GUNICORN = "https://docs.gunicorn.org/en/stable/settings.html#{}"
_UVICORN = "https://www.uvicorn.org/settings/"
_CADDY_PROXY = "https://caddyserver.com/docs/caddyfile/directives/reverse_proxy#the-http-transport"
_HYPERCORN = "https://hypercorn.readthedocs.io/en/latest/how_to_guides/configuring.html"


def _nginx(name: str, default: str, module: str = "ngx_http_core_module", anchor: str = "") -> Setting:
    return Setting(name, default, _NGINX.format(module, anchor or name.split(" ")[0]))


def _apache(name: str, default: str, module: str = "core") -> Setting:
    return Setting(name, default, _APACHE.format(module, name.split(" ")[0].lower()))


def _haproxy(name: str, default: str) -> Setting:
    return Setting(name, default, _HAPROXY)


def _node(name: str, default: str, page: str = "http", anchor: str = "") -> Setting:
    return Setting(name, default, _NODE.format(page, anchor or name.replace(".", "").lower()))


def _caddy(name: str, default: str) -> Setting:
    return Setting(name, default, f"https://caddyserver.com/docs/caddyfile/options#{name.split(' ')[0]}")


def _gunicorn(name: str, default: str, anchor: str) -> Setting:
    return Setting(name, default, _GUNICORN.format(anchor))


_UPSTREAM = "ngx_http_upstream_module"
_SSL = "ngx_http_ssl_module"
_NODE_TLS = "tlscreateserveroptions-secureconnectionlistener"
_ENVOY_IDLE = "common_http_protocol_options.idle_timeout"

TOPICS: dict[str, Topic] = {
    "keep_alive": Topic("whether connections are kept at all", {
        "nginx": _nginx("keepalive_timeout", "on; 0 turns it off"),
        "Apache": _apache("KeepAlive", "On"),
        "HAProxy": _haproxy("option httpclose", "off"),
        "gunicorn": _gunicorn("--worker-class", "sync, which closes after each response", "worker-class"),
    }),
    "idle_timeout": Topic("how long an idle connection is kept", {
        "nginx": _nginx("keepalive_timeout", "75s"),
        "Apache": _apache("KeepAliveTimeout", "5s"),
        "HAProxy": _haproxy("timeout http-keep-alive", "that of timeout http-request, else of timeout client"),
        "Envoy": Setting(_ENVOY_IDLE, "1h", _ENVOY_TIMEOUTS),
        "AWS ALB": Setting("idle_timeout.timeout_seconds", "60s", _ALB),
        "Node": _node("server.keepAliveTimeout", "5s, 65s in the newest versions; plus keepAliveTimeoutBuffer (1s)"),
        "gunicorn": _gunicorn("--keep-alive", "2s", "keepalive"),
        "uvicorn": Setting("--timeout-keep-alive", "5s", _UVICORN),
        "Hypercorn": Setting("keep_alive_timeout", "5s", _HYPERCORN),
        "Caddy": _caddy("timeouts idle (in servers)", "5m"),
    }),
    "first_request_timeout": Topic("how long a new connection may say nothing", {
        "nginx": _nginx("client_header_timeout", "60s"),
        "Apache": _apache("RequestReadTimeout header=", "20s", "mod_reqtimeout"),
        "HAProxy": _haproxy("timeout http-request", "that of timeout client"),
        "Envoy": Setting(_ENVOY_IDLE, "1h", _ENVOY_TIMEOUTS),
        "AWS ALB": Setting("idle_timeout.timeout_seconds", "60s", _ALB),
        "Node": _node("server.headersTimeout", "60s, looked at every 30s (connectionsCheckingInterval)"),
    }),
    "header_timeout": Topic("how long the head of a request may take", {
        "nginx": _nginx("client_header_timeout", "60s"),
        "Apache": _apache("RequestReadTimeout header=", "20s, up to 40s at 500 bytes/s", "mod_reqtimeout"),
        "HAProxy": _haproxy("timeout http-request", "that of timeout client"),
        "Envoy": Setting("request_headers_timeout", "off", _ENVOY_MANAGER),
        "AWS ALB": Setting("idle_timeout.timeout_seconds", "60s", _ALB),
        "Node": _node("server.headersTimeout", "60s, looked at every 30s (connectionsCheckingInterval)"),
        "Caddy": _caddy("timeouts read_header (in servers)", "no limit; 1m in the newest versions"),
    }),
    "body_timeout": Topic("how long the body of a request may take", {
        "nginx": _nginx("client_body_timeout", "60s, between two reads"),
        "Apache": _apache("RequestReadTimeout body=", "20s, more at 500 bytes/s", "mod_reqtimeout"),
        "HAProxy": _haproxy("timeout client", ""),
        "Envoy": Setting("stream_idle_timeout", "5m", _ENVOY_TIMEOUTS),
        "AWS ALB": Setting("idle_timeout.timeout_seconds", "60s", _ALB),
        "Node": _node("server.requestTimeout", "300s"),
        "Caddy": _caddy("timeouts read_body (in servers)", "no limit"),
    }),
    "max_requests": Topic("how many requests a connection may carry", {
        "nginx": _nginx("keepalive_requests", "1000; 100 before 1.19.10"),
        "Apache": _apache("MaxKeepAliveRequests", "100"),
        "Envoy": Setting("common_http_protocol_options.max_requests_per_connection", "no limit", _ENVOY_PROTOCOL),
        "Node": _node("server.maxRequestsPerSocket", "no limit"),
        "Hypercorn": Setting("keep_alive_max_requests", "1000", _HYPERCORN),
    }),
    "max_lifetime": Topic("how old a connection may become", {
        "nginx": _nginx("keepalive_time", "1h"),
        "Envoy": Setting("common_http_protocol_options.max_connection_duration", "no limit", _ENVOY_TIMEOUTS),
        "AWS ALB": Setting("client_keep_alive.seconds", "3600s", _ALB),
    }),
    "lingering_close": Topic("whether unread data is drained before a close", {
        "nginx": _nginx("lingering_close", "on: where more has come by then; always: in any case"),
        "HAProxy": _haproxy("option nolinger", "off"),
        "Envoy": Setting("delayed_close_timeout", "1s", _ENVOY_TIMEOUTS),
    }),
    "upstream_idle_timeout": Topic("how long a proxy keeps an idle connection to the origin", {
        "nginx": _nginx("keepalive_timeout (in upstream)", "60s", _UPSTREAM),
        "Apache": Setting("ProxyPass ttl=", "no limit", _APACHE.format("mod_proxy", "proxypass")),
        "HAProxy": _haproxy("pool-purge-delay", "5s"),
        "Envoy": Setting(f"{_ENVOY_IDLE} (of the cluster)", "1h", _ENVOY_TIMEOUTS),
        "AWS ALB": Setting("idle_timeout.timeout_seconds", "60s", _ALB),
        "Caddy": Setting("keepalive (in transport http)", "2m", _CADDY_PROXY),
    }),
    "upstream_keep_alive": Topic("whether a proxy reuses its connections to the origin", {
        "nginx": _nginx(
            "keepalive (in upstream)",
            'off; 32 since 1.29.7; before, it needs proxy_http_version 1.1 and proxy_set_header Connection "" too',
            _UPSTREAM,
        ),
        "Apache": Setting("ProxyPass disablereuse=", "Off", _APACHE.format("mod_proxy", "proxypass")),
        "HAProxy": _haproxy("http-reuse", "safe"),
        "Caddy": Setting("keepalive (in transport http)", "on, 2m; off turns it off", _CADDY_PROXY),
    }),
    "http2": Topic("whether HTTP/2 is spoken", {
        "nginx": _nginx("http2", "off", "ngx_http_v2_module"),
        "Apache": _apache("Protocols", "http/1.1"),
        "HAProxy": _haproxy("alpn (on bind)", "h2,http/1.1 with TLS since 2.8"),
        "Envoy": Setting("codec_type", "AUTO", _ENVOY_MANAGER),
        "AWS ALB": Setting("routing.http2.enabled", "true", _ALB),
        "Node": _node("http2.createSecureServer()", "", "http2", "http2createsecureserveroptions-onrequesthandler"),
        "Hypercorn": Setting("alpn_protocols", "h2, http/1.1", _HYPERCORN),
        "Caddy": _caddy("protocols (in servers)", "h1 h2 h3"),
    }),
    "http2_idle_timeout": Topic("how long an idle connection of HTTP/2 is kept", {
        "nginx": _nginx("keepalive_timeout", "75s; http2_idle_timeout (3m) before 1.19.7"),
        "Apache": _apache("KeepAliveTimeout", "5s"),
        "HAProxy": _haproxy("timeout http-keep-alive", "that of timeout client"),
        "Envoy": Setting(_ENVOY_IDLE, "1h", _ENVOY_TIMEOUTS),
        "AWS ALB": Setting("idle_timeout.timeout_seconds", "60s", _ALB),
        "Hypercorn": Setting("keep_alive_timeout", "5s", _HYPERCORN),
        "Caddy": _caddy("timeouts idle (in servers)", "5m"),
    }),
    "http2_max_streams": Topic("how many streams a connection may have at a time", {
        "nginx": _nginx("http2_max_concurrent_streams", "128", "ngx_http_v2_module"),
        "Apache": _apache("H2MaxSessionStreams", "100", "mod_http2"),
        "HAProxy": _haproxy("tune.h2.fe.max-concurrent-streams", "100"),
        "Envoy": Setting("http2_protocol_options.max_concurrent_streams", "depends on the version", _ENVOY_PROTOCOL),
        "Node": _node("settings.maxConcurrentStreams", "", "http2", "settings-object"),
        "Hypercorn": Setting("h2_max_concurrent_streams", "100", _HYPERCORN),
    }),
    "http2_max_requests": Topic("how many requests a connection of HTTP/2 may carry", {
        "nginx": _nginx("keepalive_requests", "1000; http2_max_requests before 1.19.7"),
        "HAProxy": _haproxy("tune.h2.fe.max-total-streams", "no limit"),
        "Envoy": Setting("common_http_protocol_options.max_requests_per_connection", "no limit", _ENVOY_PROTOCOL),
        "Hypercorn": Setting("keep_alive_max_requests", "1000", _HYPERCORN),
    }),
    "tls_versions": Topic("which versions of TLS are spoken", {
        "nginx": _nginx("ssl_protocols", "TLSv1.2 TLSv1.3; no TLSv1.3 before 1.23.4, older ones before 1.27.3", _SSL),
        "Apache": _apache("SSLProtocol", "all -SSLv3", "mod_ssl"),
        "HAProxy": _haproxy("ssl-min-ver", "TLSv1.2"),
        "Envoy": Setting("tls_minimum_protocol_version", "TLSv1_2", _ENVOY_TLS),
        "AWS ALB": Setting("the listener's security policy", "", "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html"),
        "Node": _node("minVersion", "TLSv1.2", "tls", "tlsdefault_min_version"),
        "gunicorn": _gunicorn("ssl_context", "", "ssl-context"),
    }),
    "tls_session": Topic("whether and how long TLS sessions can be resumed", {
        "nginx": _nginx("ssl_session_cache", "none; ssl_session_tickets are on, for ssl_session_timeout (5m)", _SSL),
        "Apache": _apache("SSLSessionCache", "none; SSLSessionTickets are on", "mod_ssl"),
        "HAProxy": _haproxy("tls-ticket-keys", "random; tune.ssl.lifetime is 300s"),
        "Envoy": Setting("session_ticket_keys", "random", _ENVOY_TLS),
        "Node": _node("sessionTimeout", "300s; ticketKeys are random", "tls", _NODE_TLS),
    }),
    "tls_ticket_keys": Topic("whether several servers resume each other's TLS sessions", {
        "nginx": _nginx("ssl_session_ticket_key", "random; each server has its own", _SSL),
        "Apache": _apache("SSLSessionTicketKeyFile", "random; each server has its own", "mod_ssl"),
        "HAProxy": _haproxy("tls-ticket-keys", "random; each server has its own"),
        "Envoy": Setting("session_ticket_keys", "random; each server has its own", _ENVOY_TLS),
        "Node": _node("ticketKeys", "random; each server has its own", "tls", _NODE_TLS),
    }),
    "tls_early_data": Topic("whether early data (0-RTT) is taken", {
        "nginx": _nginx("ssl_early_data", "off", _SSL),
        "HAProxy": _haproxy("allow-0rtt", "off"),
    }),
    "tls_certificate": Topic("the certificate", {
        "nginx": _nginx("ssl_certificate", "", _SSL),
        "Apache": _apache("SSLCertificateFile", "", "mod_ssl"),
        "HAProxy": _haproxy("crt (on bind)", ""),
        "Envoy": Setting("tls_certificates", "", _ENVOY_TLS),
        "Node": _node("cert", "", "tls", "tlscreatesecurecontextoptions"),
        "gunicorn": _gunicorn("--certfile", "", "certfile"),
        "uvicorn": Setting("--ssl-certfile", "", _UVICORN),
        "Hypercorn": Setting("certfile", "", _HYPERCORN),
    }),
    "websocket": Topic("whether upgrades to WebSocket come through", {
        "nginx": Setting("proxy_set_header Upgrade", "not passed on", "https://nginx.org/en/docs/http/websocket.html"),
        "Apache": Setting("ProxyPass upgrade=websocket", "off", _APACHE.format("mod_proxy", "proxypass")),
        "Envoy": Setting("upgrade_configs", "off", _ENVOY_MANAGER),
        "uvicorn": Setting("--ws", "auto", _UVICORN),
    }),
    "websocket_idle_timeout": Topic("how long a silent WebSocket is kept", {
        "nginx": _nginx("proxy_read_timeout", "60s", "ngx_http_proxy_module"),
        "HAProxy": _haproxy("timeout tunnel", "that of timeout client and timeout server"),
        "Envoy": Setting("stream_idle_timeout", "5m", _ENVOY_TIMEOUTS),
        "AWS ALB": Setting("idle_timeout.timeout_seconds", "60s", _ALB),
        "uvicorn": Setting("--ws-ping-interval and --ws-ping-timeout", "20s each", _UVICORN),
        "Hypercorn": Setting("websocket_ping_interval", "none", _HYPERCORN),
    }),
    "hop_by_hop": Topic("which fields of a connection are passed on", {
        "nginx": _nginx("proxy_set_header", "Host and Connection are its own", "ngx_http_proxy_module"),
        "Apache": _apache("RequestHeader unset", "", "mod_headers"),
        "HAProxy": _haproxy("http-request del-header", ""),
    }),
    "trailers": Topic("whether trailer sections are passed on", {
        "nginx": _nginx("proxy_pass_trailers", "off", "ngx_http_proxy_module"),
        "Apache": _apache("MergeTrailers", "off"),
        "Envoy": Setting("http_protocol_options.enable_trailers", "false", _ENVOY_PROTOCOL),
    }),
    "body_limit": Topic("the longest body of a request", {
        "nginx": _nginx("client_max_body_size", "1m"),
        "Apache": _apache("LimitRequestBody", "1 GiB; no limit before 2.4.54"),
    }),
    "expect_continue": Topic("the answer to Expect: 100-continue", {
        "Node": _node("event 'checkContinue'", "100 is sent", "http", "event-checkcontinue"),
    }),
    "initial_window": Topic("how much a new connection sends before the first acknowledgement", {
        "Linux": Setting("ip route change … initcwnd", "10", "https://man7.org/linux/man-pages/man8/ip-route.8.html"),
    }),
    "address_family": Topic("the addresses that are listened on", {
        "nginx": _nginx("listen [::]:80", "*:80"),
        "Apache": _apache("Listen", "", "mpm_common"),
        "HAProxy": _haproxy("bind :::80 v4v6", ""),
        "AWS ALB": Setting("IP address type dualstack", "ipv4", _ALB),
        "Node": _node("server.listen(port, '::')", ":: where there is IPv6", "net", "serverlisten"),
        "gunicorn": _gunicorn("--bind [::]:8000", "127.0.0.1:8000", "bind"),
        "uvicorn": Setting("--host ::", "127.0.0.1", _UVICORN),
        "Hypercorn": Setting("bind", "127.0.0.1:8000", _HYPERCORN),
    }),
    "balancing": Topic("how requests are spread over backends", {
        "nginx": _nginx("least_conn (in upstream)", "round robin", _UPSTREAM),
        "Apache": Setting("ProxySet lbmethod=", "byrequests", _APACHE.format("mod_proxy", "proxyset")),
        "HAProxy": _haproxy("balance", "roundrobin; random since 3.3"),
        "Envoy": Setting("lb_policy", "ROUND_ROBIN", _ENVOY.format("api-v3/config/cluster/v3/cluster.proto")),
        "AWS ALB": Setting("load_balancing.algorithm.type", "round_robin", "https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html"),
        "Node": _node("cluster.schedulingPolicy", "SCHED_RR", "cluster"),
    }),
}  # fmt: skip
"""By the word that a finding names as its topic."""

_MAX_NAMED = 4


def server_of(field: str | None) -> str:
    """Which of the servers in the table a Server field names; empty where it is none of them."""
    product = (field or "").lower()
    return next((name for start, name in _SERVER_FIELDS.items() if product.startswith(start)), "")


def settings_text(topic: str | None, server_field: str | None = None) -> str:
    """The settings of a topic in a line, as `nginx: keepalive_timeout (75s)`; empty where none is known.

    Where the Server field names a server of the table it is that one's with its default, and else the names alone of a
    few servers.
    """
    if topic not in TOPICS:
        return ""
    settings = TOPICS[topic].settings
    server = server_of(server_field)
    if server:
        own = settings.get(server)
        return "" if own is None else f"{server}: {own.name}" + (f" ({own.default})" if own.default else "")
    shown = [f"{name}: {one.name}" for name, one in settings.items()]
    return "; ".join(shown[:_MAX_NAMED]) + (" …" if len(shown) > _MAX_NAMED else "")


def markdown_table() -> str:
    """All of it as a table in Markdown, for docs/probe.md."""
    rows = []
    for topic in TOPICS.values():
        for number, (server, one) in enumerate(topic.settings.items()):
            title = "" if number else f"**{topic.title}**"
            rows.append(f"| {title} | {server} | [`{one.name}`]({one.source}) | {one.default or '–'} |")
    return "\n".join(["| what | server | setting | default |", "| --- | --- | --- | --- |", *rows]) + "\n"
