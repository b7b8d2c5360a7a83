"""All tenant tables, so that migrations and tests can walk every one."""

from workreef_app.services.access import federation
from workreef_app.services.access import models as access
from workreef_app.services.access import token_models as tokens
from workreef_app.services.alarms import models as alarms
from workreef_app.services.audit import models as audit
from workreef_app.services.jobs import models as jobs
from workreef_app.services.recommend import models as recommend
from workreef_app.services.redaction import models as redaction
from workreef_app.services.siem import models as siem
from workreef_app.services.signals import models as signals
from workreef_app.services.vault import models as vault
from workreef_app.services.vault.columns import TenantTable
from workreef_app.services.witnesses import models as witnesses

__all__ = [
    "access", "alarms", "audit", "federation", "jobs", "metadata", "recommend", "redaction", "siem", "signals",
    "tokens", "vault", "witnesses",
]
metadata = TenantTable.metadata
