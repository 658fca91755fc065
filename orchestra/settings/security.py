"""Keys, hosts, cookies, content policy, passwords."""

from __future__ import annotations

from csp.constants import NONCE, NONE, SELF

from orchestra.settings.base import DEBUG, STATE_DIR
from orchestra.settings.env import environment
from orchestra.settings.secrets import stored_secret

_env = environment()

SECRET_KEY = _env.secret_key or stored_secret(STATE_DIR / "secrets", "secret_key")
JWT_SIGNING_KEY = _env.jwt_signing_key or stored_secret(STATE_DIR / "secrets", "jwt_signing_key")

AUTH_USER_MODEL = "accounts.User"
LOGIN_URL = "sign-in"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "sign-in"
AUTHENTICATION_BACKENDS = ["orchestra.accounts.backends.PasswordBackend"]
SIGN_IN_ATTEMPTS = _env.sign_in_attempts
SIGN_IN_ACCOUNTS_PER_ADDRESS = 5
STAFF_TWO_FACTOR = _env.staff_two_factor
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

METRICS_TOKEN = _env.metrics_token
METRICS_NETWORKS = list(_env.metrics_networks)

ALLOWED_HOSTS = list(_env.allowed_hosts)
CSRF_TRUSTED_ORIGINS = list(_env.csrf_trusted_origins)

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

# Behind a TLS proxy everything is https. On this machine alone, http on loopback is all there is.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _env.behind_tls_proxy
SECURE_SSL_REDIRECT = _env.behind_tls_proxy
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _env.behind_tls_proxy else None
SECURE_HSTS_SECONDS = 31_536_000 if _env.behind_tls_proxy else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _env.behind_tls_proxy
SECURE_HSTS_PRELOAD = _env.behind_tls_proxy
# The container's and the orchestrator's probes, and Prometheus, come over plain http from inside.
SECURE_REDIRECT_EXEMPT = [r"^api/health", r"^metrics$"]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

# The stream of an upload is counted by `orchestra.common.body_limit`; these two are for forms.
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024**2
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000

SILENCED_SYSTEM_CHECKS: list[str] = [] if not DEBUG else ["security.W018"]
