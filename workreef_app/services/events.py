"""What the audit log may say has happened."""

from __future__ import annotations

from enum import StrEnum


class Event(StrEnum):
    """What an audit entry says happened: `subject.verb`."""

    TENANT_CREATED = "tenant.created"
    SESSION_STARTED = "session.started"
    SESSION_REFUSED = "session.refused"
    SESSION_ENDED = "session.ended"
    SESSION_EXTENDED = "session.extended"
    PERSON_CREATED = "person.created"
    PERSON_CHANGED = "person.changed"
    PERSON_DEACTIVATED = "person.deactivated"
    PERSON_ACTIVATED = "person.activated"
    INVITATION_ACCEPTED = "invitation.accepted"
    INVITATION_RENEWED = "invitation.renewed"
    INVITATION_REVOKED = "invitation.revoked"
    PASSWORD_PROVEN = "password.proven"  # nosec B105: a name, no value
    PASSWORD_CHANGED = "password.changed"  # nosec B105: a name, no value
    PASSWORD_RESET = "password.reset"  # nosec B105: a name, no value
    RESET_ASKED = "reset.asked"
    RESET_LINK_MADE = "reset.link_made"
    FACTOR_BEGUN = "factor.begun"
    FACTOR_ENROLLED = "factor.enrolled"
    FACTOR_CODES_RENEWED = "factor.codes_renewed"
    FACTOR_REMOVED = "factor.removed"
    FACTOR_REFUSED = "factor.refused"
    SESSION_REFRESHED = "session.refreshed"
    SESSION_REVOKED = "session.revoked"
    LINK_PREPARED = "link.prepared"
    LINK_MAILED = "link.mailed"
    SCOPE_DENIED = "scope.denied"
    DATA_READ = "data.read"
    SETTING_CHANGED = "setting.changed"
    REDACTION_CHANGED = "redaction.changed"
    DEPARTMENT_CREATED = "department.created"
    IMPORT_STARTED = "import.started"
    IMPORT_RECEIVED = "import.received"
    IMPORT_ADVANCED = "import.advanced"
    IMPORT_FINISHED = "import.finished"
    IMPORT_CANCELLED = "import.cancelled"
    IMPORT_SWEPT = "import.swept"
    PROPOSAL_DECIDED = "proposal.decided"
    NOTE_ADDED = "note.added"
    NOTE_WITHDRAWN = "note.withdrawn"
    JOB_SCHEDULED = "job.scheduled"
    JOB_STARTED = "job.started"
    JOB_ENDED = "job.ended"
    JOB_CANCELLED = "job.cancelled"
    JOB_RETRIED = "job.retried"
    SIGNALS_MEASURED = "signals.measured"
    ALARM_RAISED = "alarm.raised"
    ALARM_DELIVERED = "alarm.delivered"
    ALARM_ACKNOWLEDGED = "alarm.acknowledged"
    ALARM_ASSIGNED = "alarm.assigned"
    ALARM_RESOLVED = "alarm.resolved"
    ALARM_ROUTES_CHANGED = "alarm_routes.changed"
    ALARM_ROUTES_TESTED = "alarm_routes.tested"
    TOKEN_CREATED = "token.created"  # nosec B105: a name, no value
    TOKEN_REVOKED = "token.revoked"  # nosec B105: a name, no value
    AUDIT_VERIFIED = "audit.verified"
    AUDIT_EXPORTED = "audit.exported"
    SSO_CHANGED = "sso.changed"
    SSO_TESTED = "sso.tested"
