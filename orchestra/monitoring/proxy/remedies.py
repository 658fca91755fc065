"""What to write where, for each thing that a proxy can do wrong."""

from __future__ import annotations

_CADDY_ITSELF = "Caddy's reverse_proxy does so itself: look for a header_up that changes it"


def _in(nginx: str, caddy: str) -> str:
    return f"nginx: {nginx}   Caddy: {caddy}."


UNREACHABLE = "Start the proxy, and look at the name, the port and the firewall."
CERTIFICATE = "Give the proxy the whole chain of its certificate; with a CA of your own, set SSL_CERT_FILE here to it."
NO_WEB = _in(
    "proxy_pass http://ADDRESS:8000; with the web's HOST and PORT",
    "reverse_proxy ADDRESS:8000. The web listens on 127.0.0.1 unless HOST says otherwise",
)
NOT_OURS = "Another site answers at this address: look at server_name (nginx) or the site's address (Caddy)."
HOST = _in("proxy_set_header Host $host;", f"{_CADDY_ITSELF} (Host)")
SCHEME = _in("proxy_set_header X-Forwarded-Proto $scheme;", f"{_CADDY_ITSELF} (X-Forwarded-Proto)")
TLS_SETTING = "Set BEHIND_TLS_PROXY=true and restart the web."
NO_TLS_SETTING = "Give the https:// address; without TLS, leave BEHIND_TLS_PROXY empty."
ADDRESS = _in("proxy_set_header X-Forwarded-For $remote_addr;", f"{_CADDY_ITSELF} (X-Forwarded-For)")
COOKIES = _in("remove proxy_cookie_* and proxy_hide_header Set-Cookie", "remove header -Set-Cookie")
UPGRADE = _in(
    "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade; "
    "(and outside of server: map $http_upgrade $connection_upgrade { default upgrade; '' ''; })",
    "reverse_proxy passes sockets on; look for a header_up Connection or Upgrade",
)
IDLE = _in("proxy_read_timeout 120s;", "remove stream_timeout, or set it above 30s")
BODY = _in("client_max_body_size 65m;", "request_body { max_size 65MiB }")
BUFFERING = _in("proxy_request_buffering off;", "remove request_buffers from reverse_proxy")
RANGES = _in("remove proxy_set_header Range and proxy_force_ranges", "remove header_up -Range")
METHODS = _in("remove limit_except, or let PUT, PATCH, DELETE and HEAD through", "remove method matchers around it")


def allowed_hosts(host: str) -> str:
    """Return the setting that lets a host name in."""
    return f"Add it: ALLOWED_HOSTS={host},… and restart the web."


def trusted_origins(origin: str) -> str:
    """Return the setting that lets forms and sockets of a page of this origin in."""
    return f"Set CSRF_TRUSTED_ORIGINS={origin} and restart the web."


def trusted_proxies(address: str) -> str:
    """Return the setting that makes a proxy's word about its clients count."""
    return f"Set TRUSTED_PROXIES={address} and restart the web."
