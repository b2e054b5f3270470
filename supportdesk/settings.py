"""Settings of the desk: everything comes from the environment, with defaults that are safe in production.

`SUPPORTDESK_MODE` is `production` (default), `demo` (what `make run` serves) or `test`.
"""

from __future__ import annotations

import os
from pathlib import Path

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from supportdesk.embedded import postgres as embedded

env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
MODE = env("SUPPORTDESK_MODE", default="production")
if MODE not in ("production", "demo", "test"):
    raise ImproperlyConfigured(f"SUPPORTDESK_MODE is {MODE!r}; it must be production, demo or test")
IN_PRODUCTION = MODE == "production"
DEBUG = env.bool("SUPPORTDESK_DEBUG", default=False)

# --- keys ------------------------------------------------------------------------------------------------------------
# Three keys, so that losing one does not lose the others: sessions and links, queue payloads, secrets at rest.
# Each may be a comma-separated list: the first signs, all verify (see docs/running.md, "Changing keys").


def _keys(name: str) -> list[str]:
    value = env.list(name, default=[])
    if value:
        return value
    if IN_PRODUCTION:
        raise ImproperlyConfigured(
            f"{name} is not set. Make one with: python -c 'import secrets; print(secrets.token_urlsafe(50))'"
        )
    return [f"only-for-{MODE}-{name.lower()}-never-in-production-0123456789abcdef"]


SECRET_KEY, *SECRET_KEY_FALLBACKS = _keys("SECRET_KEY")
QUEUE_SIGNING_KEYS = _keys("SUPPORTDESK_QUEUE_KEY")
SECRETS_KEYS = _keys("SUPPORTDESK_SECRETS_KEY")

# --- where people and vendors reach us -------------------------------------------------------------------------------
PUBLIC_URL = env("SUPPORTDESK_URL", default="http://127.0.0.1:8000").rstrip("/")
HTTPS = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = env.list("SUPPORTDESK_HOSTS", default=[] if IN_PRODUCTION else ["*"]) or [
    PUBLIC_URL.split("//", 1)[1].split("/", 1)[0].split(":", 1)[0]
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
DESK_NAME = env("SUPPORTDESK_NAME", default="supportdesk")
# Live updates: a path on this host behind a proxy, or a port of its own where there is none.
LIVE_PORT = env.int("SUPPORTDESK_LIVE_PORT", default=0)
TRUSTED_PROXIES = env.int("SUPPORTDESK_TRUSTED_PROXIES", default=0)

# --- applications ----------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "supportdesk.apps.DeskAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "django_htmx",
    "csp",
    "supportdesk.apps.SupportdeskConfig",
    "rotations.apps.RotationsConfig",
    "incidents.apps.IncidentsConfig",
    "reports.apps.ReportsConfig",
]

MIDDLEWARE = [
    "supportdesk.web.middleware.CleanInput",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "supportdesk.web.middleware.StaffSecondFactor",
    "supportdesk.web.middleware.ReaderContext",
]

ROOT_URLCONF = "supportdesk.urls"
WSGI_APPLICATION = "supportdesk.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "incidents.context.desk",
            ],
            "builtins": ["supportdesk.templatetags.desk"],
        },
    }
]

# --- database: PostgreSQL and nothing else ---------------------------------------------------------------------------
DATABASE_URL = env("DATABASE_URL", default="")
if IN_PRODUCTION and not DATABASE_URL:
    raise ImproperlyConfigured("DATABASE_URL is not set. Example: postgres://supportdesk:secret@localhost/supportdesk")
# LISTEN needs a session of its own: behind a pooler in transaction mode, name the database directly here.
LISTEN_DATABASE_URL = env("LISTEN_DATABASE_URL", default="")
USES_EMBEDDED_DATABASE = not DATABASE_URL
_database = (
    env.db_url_config(DATABASE_URL)
    if DATABASE_URL
    else embedded.database(BASE_DIR, env("SUPPORTDESK_INSTANCE", default="test" if MODE == "test" else "dev"))
)
if _database["ENGINE"] not in ("django.db.backends.postgresql", embedded.ENGINE):
    raise ImproperlyConfigured(
        "The desk needs PostgreSQL 14 to 18: set DATABASE_URL=postgres://user:password@host/name"
    )
_database["CONN_MAX_AGE"] = None
_database["CONN_HEALTH_CHECKS"] = True
_database.setdefault("OPTIONS", {})
_database["OPTIONS"] |= {
    # A dead line or a stuck neighbour ends in seconds, not in minutes (reliability F9, F10).
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "application_name": env("SUPPORTDESK_PROCESS", default="supportdesk"),
    "options": " ".join(
        [
            f"-c statement_timeout={env.int('SUPPORTDESK_STATEMENT_TIMEOUT_MS', default=10_000)}",
            f"-c lock_timeout={env.int('SUPPORTDESK_LOCK_TIMEOUT_MS', default=3_000)}",
            "-c idle_in_transaction_session_timeout=30000",
        ]
    ),
}
DATABASES = {"default": _database}

CACHES = {
    # Rate limits must hold across processes: a table all of them share.
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "supportdesk_cache"},
    # django-q2 writes its process statistics here; we watch work done instead (docs/reliability.md).
    "queue": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "queue"},
}

# --- people ----------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "supportdesk.User"
AUTHENTICATION_BACKENDS = ["supportdesk.accounts.backends.RoleBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_ADAPTER = "supportdesk.accounts.adapter.InvitationOnlyAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # an account exists only by invitation, which proves the address
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
# By address of the caller, not by account: whoever knows an e-mail must not be able to lock its owner out (S9).
# "status_form": subscribing to a status page, and asking for the link to a private one.
ACCOUNT_RATE_LIMITS = {"login_failed": "10/5m/ip", "reset_password": "20/m/ip,5/m/key", "status_form": "10/h/ip"}
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = DESK_NAME
STAFF_SECOND_FACTOR = env.bool("SUPPORTDESK_STAFF_SECOND_FACTOR", default=IN_PRODUCTION)
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
if HTTPS:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    SECURE_SSL_REDIRECT = env.bool("SUPPORTDESK_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env.int("SUPPORTDESK_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    if TRUSTED_PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}

# --- languages, time, files ------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
# Collected in production only; elsewhere files are served from where they lie.
STATIC_ROOT = Path(env("SUPPORTDESK_STATIC_ROOT", default=str(BASE_DIR / "staticfiles"))) if IN_PRODUCTION else None
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IN_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not IN_PRODUCTION
WHITENOISE_AUTOREFRESH = False
MEDIA_ROOT = Path(env("SUPPORTDESK_MEDIA_ROOT", default=str(BASE_DIR / "media")))
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_048_576
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1_000

# --- mail: what the e-mail integration uses when a connection names no server of its own -----------------------------
vars().update(env.email_url("EMAIL_URL", default="smtp://127.0.0.1:25"))
DEFAULT_FROM_EMAIL = env("SUPPORTDESK_FROM_EMAIL", default=f"{DESK_NAME} <desk@localhost>")
EMAIL_TIMEOUT = 10

# --- vendors ---------------------------------------------------------------------------------------------------------
# Base addresses, so that tests and the demo talk to local fake vendors over real HTTP: slack=http://127.0.0.1:9001/api/,…
VENDOR_BASE_URLS = env.dict("SUPPORTDESK_VENDOR_URLS", default={})
# Private networks that addresses typed in by people (webhooks, calendars) may lead into, as 10.1.0.0/16,…
REACHABLE_NETWORKS = env.list("SUPPORTDESK_REACHABLE_NETWORKS", default=[])
# Calls a minute the desk takes of one connection before it asks the sender to wait; 0: any number (MON-12).
HOOKS_PER_MINUTE = env.int("SUPPORTDESK_HOOKS_PER_MINUTE", default=1200)
# Where a war room talks: an address with {ref} in it, like https://meet.example.org/{ref}
BRIDGE_URL = env("SUPPORTDESK_BRIDGE_URL", default="https://meet.desk.example/{ref}" if MODE == "demo" else "")
# The last resort of every chain (§1.4 "Fallback manager"): MUST resolve to a phone number at all times.
EMERGENCY_NUMBER = env("SUPPORTDESK_EMERGENCY_NUMBER", default="+4930555000" if MODE == "demo" else "")

# --- the queue: django-q2 carries, rows are the truth (docs/floor-plan.md) -------------------------------------------
INBOUND_TASK = "incidents.tasks.process_inbound"  # what the clock calls with the ids of stored inbound events
WHO_IS_ON_CALL = "rotations.boards.in_words"  # what the welcome of `make run` asks
ROTA_CHANGED_TASK = "incidents.tasks.follow_rota"  # what a changed schedule calls: somebody may be ringing
SHIFT_CHANGED_TASK = "incidents.tasks.hand_over"  # what a hand-off calls: somebody may have open incidents
FATIGUE_PROFILE = env("SUPPORTDESK_FATIGUE_PROFILE", default="default")  # or EU, where FAT-1 and FAT-2 are law
TICKETED_TASK = "reports.tasks.ticketed"  # what is called when the ticket of an action item is made, or done
# What a connection's Test says besides, by vendor: how what the vendor has fits what the desk has.
CONNECTION_BESIDES = {
    "pagerduty": "rotations.elsewhere.beside_pagerduty",
    "statuspage": "incidents.publishing.beside_statuspage",
}
CONNECTION_SAVED_TASK = "incidents.tasks.keep_oncall_group"  # what a saved connection calls: @oncall may be new
REPORT_DRAFT_TASK = "reports.tasks.draft"  # what a resolved incident's timer calls an hour later
FOLLOW_CONTRACT_TASK = "incidents.tasks.follow_contract"  # what a contract's timers call, for its open incidents
QUEUE_LANES = ("page", "sla", "integrations", "bulk")
# Where the processor is short, pages and timers go first (nice(2): 0 goes before 19).
QUEUE_NICENESS = {"page": 0, "sla": 0, "integrations": 5, "bulk": 10}
Q_CLUSTER = {
    "name": "supportdesk",
    "broker_class": "supportdesk.queue.broker.PostgresBroker",
    "orm": "default",
    "cache": "queue",
    "workers": 2,
    "bulk": 1,
    "queue_limit": 2,
    "timeout": 25,
    "retry": 80,
    "max_attempts": 3,
    "ack_failures": True,
    "save_limit": -1,
    "recycle": 500,
    "catch_up": False,
    "log_level": env("SUPPORTDESK_QUEUE_LOG", default="WARNING"),
    # The lanes run what our rows say and nothing else; a plain `manage.py qcluster` is django-q2's, with its Schedules.
    "ALT_CLUSTERS": {
        "page": {"workers": 3, "bulk": 1, "queue_limit": 3, "timeout": 20, "retry": 70, "scheduler": False},
        "sla": {"workers": 2, "bulk": 20, "queue_limit": 40, "timeout": 5, "retry": 15, "scheduler": False},
        "integrations": {"workers": 3, "bulk": 1, "queue_limit": 3, "timeout": 25, "retry": 80, "scheduler": False},
        "bulk": {"workers": 1, "bulk": 1, "queue_limit": 1, "timeout": 60, "retry": 190, "scheduler": False},
    },
}

# --- the auditor: what it asks, and how it tells people without the desk (docs/reliability.md) ------------------------
# Each app brings its own invariants, doctor's lines and gauges; named here, so that nobody looks upstairs.
AUDITOR_INVARIANTS = [
    "supportdesk.auditor.cellar.INVARIANTS",
    "rotations.invariants.INVARIANTS",
    "incidents.invariants.INVARIANTS",
]
DOCTOR_LINES = [
    "supportdesk.doctor.LINES",
    "rotations.doctor.LINES",
    "incidents.doctor.LINES",
]
LAST_DRILLS = "incidents.drills.last_passed"  # when everybody last passed a fire drill, for the proof
AUDITOR_DISKS = env.list("SUPPORTDESK_DISKS", default=[str(BASE_DIR)])
# A mail server, a telephone account and a web address that share nothing with how the desk pages.
ALARM_EMAIL_URL = env("SUPPORTDESK_ALARM_EMAIL_URL", default="")
ALARM_EMAIL_FROM = env("SUPPORTDESK_ALARM_EMAIL_FROM", default="")
ALARM_EMAIL_TO = env.list("SUPPORTDESK_ALARM_EMAIL_TO", default=[])
ALARM_TWILIO = env("SUPPORTDESK_ALARM_TWILIO", default="")
ALARM_TWILIO_URL = env("SUPPORTDESK_ALARM_TWILIO_URL", default="https://api.twilio.com")
ALARM_PHONE = env.list("SUPPORTDESK_ALARM_PHONE", default=[])
ALARM_WEBHOOK = env("SUPPORTDESK_ALARM_WEBHOOK", default="")
# Pinged every minute while all is well; whoever is behind it calls somebody when the pings stop.
DEAD_MAN_URL = env("SUPPORTDESK_DEAD_MAN_URL", default="")
DEAD_MAN_FAILS = env.bool("SUPPORTDESK_DEAD_MAN_FAILS", default=True)
# Who may read /metrics: whoever has the token, and these addresses. Neither set: nobody.
METRICS_TOKEN = env("SUPPORTDESK_METRICS_TOKEN", default="")
METRICS_ALLOW = env.list("SUPPORTDESK_METRICS_ALLOW", default=[])
# Where backups lie, so that the doctor can tell how old the newest is; empty: it does not look.
BACKUP_DIR = env("SUPPORTDESK_BACKUP_DIR", default="")
# Where the public status pages are written as files, for a web server that outlives the desk; empty: nowhere.
STATUS_FILES = env("SUPPORTDESK_STATUS_FILES", default="")

# --- API -------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "supportdesk.web.api.tokens.TokenAuthentication",
        "supportdesk.web.api.tokens.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PARSER_CLASSES": ["supportdesk.web.api.strict.StrictJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "supportdesk.web.api.strict.Pages",
    "DEFAULT_THROTTLE_CLASSES": ["supportdesk.web.api.tokens.TokenThrottle"],
    "DEFAULT_THROTTLE_RATES": {"token": env("SUPPORTDESK_API_RATE", default="600/min")},
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "supportdesk.web.api.problems.problem",
    "PAGE_SIZE": 50,
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "supportdesk API",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "SERVE_AUTHENTICATION": [
        "supportdesk.web.api.tokens.TokenAuthentication",
        "supportdesk.web.api.tokens.SessionAuthentication",
    ],
    "SWAGGER_UI_FAVICON_HREF": "/static/img/favicon.svg",
    "SWAGGER_UI_DIST": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env("SUPPORTDESK_LOG", default="WARNING")},
    "loggers": {
        "supportdesk": {"level": env("SUPPORTDESK_LOG", default="INFO")},
        "django.request": {"level": "ERROR"},
        "pdpyras": {"level": "ERROR"},
    },
}
SILENCED_SYSTEM_CHECKS: list[str] = []
if MODE == "test":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    CACHES["default"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "test"}
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's sync API runs an event loop in this thread
