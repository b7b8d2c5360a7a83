"""What the audit log may say has happened.

Below each event stands what it means and what its detail holds; `meanings` reads it there, for the page and the
document of the events.
"""

from __future__ import annotations

import ast
import inspect
from enum import StrEnum


class Event(StrEnum):
    """What an audit entry says happened: `subject.verb`. Each entry's detail names the operation, too."""

    TENANT_CREATED = "tenant.created"
    """A tenant was made; the first entry of its log, and one of the platform's.
    Detail: whether it is under HIPAA, and whether it is a sample.
    """
    SESSION_STARTED = "session.started"
    """Somebody signed in. Detail: by which method and second factor, and whether a new person came of it."""
    SESSION_REFUSED = "session.refused"
    """A sign-in was refused. Detail: the reason, and the keyed hash of the email where one was given."""
    SESSION_ENDED = "session.ended"
    """Somebody signed out."""
    SESSION_EXTENDED = "session.extended"
    """Somebody prolonged their session, within its bounds."""
    PERSON_CREATED = "person.created"
    """A person was added and invited. Detail: personas, how many departments, and until when as a reviewer."""
    PERSON_CHANGED = "person.changed"
    """A person was changed. Detail: what, the personas before and after it, and how many sessions it ended; text as
    keyed hashes.
    """
    PERSON_DEACTIVATED = "person.deactivated"
    """A person can no longer sign in. Detail: how many sessions it ended."""
    PERSON_ACTIVATED = "person.activated"
    """A person can sign in again. Detail: their status."""
    INVITATION_ACCEPTED = "invitation.accepted"
    """Somebody took up an invitation and set a password."""
    INVITATION_RENEWED = "invitation.renewed"
    """An invitation got a new link; the old one is void."""
    INVITATION_REVOKED = "invitation.revoked"
    """An invitation's link is void."""
    PASSWORD_PROVEN = "password.proven"  # nosec B105: a name, no value
    """A password was right, and a second factor is asked for. Nobody is signed in yet."""
    PASSWORD_CHANGED = "password.changed"  # nosec B105: a name, no value
    """Somebody changed their own password."""
    PASSWORD_RESET = "password.reset"  # nosec B105: a name, no value
    """A password was set by a link. Detail: how many sessions it ended."""
    RESET_ASKED = "reset.asked"
    """A link to set a new password was asked for. Detail: the keyed hash of the email, whether or not it is known."""
    RESET_LINK_MADE = "reset.link_made"
    """An admin made a link to set a new password. Detail: whether it goes by mail."""
    FACTOR_BEGUN = "factor.begun"
    """Somebody began to set up a second factor."""
    FACTOR_ENROLLED = "factor.enrolled"
    """Somebody has a second factor from now on."""
    FACTOR_CODES_RENEWED = "factor.codes_renewed"
    """Somebody has new recovery codes; the old ones are void."""
    FACTOR_REMOVED = "factor.removed"
    """A second factor was removed. Detail: how many sessions it ended, where an admin did it."""
    FACTOR_REFUSED = "factor.refused"
    """A second factor's code was wrong, or was used before."""
    SESSION_REFRESHED = "session.refreshed"
    """Somebody proved once more who they are, for what asks for that."""
    SESSION_REVOKED = "session.revoked"
    """Sessions were ended by somebody else or from elsewhere. Detail: how many."""
    LINK_PREPARED = "link.prepared"
    """A job took a link to be mailed. Detail: whether there was still a letter to send."""
    LINK_MAILED = "link.mailed"
    """A link was mailed, or could not be. Detail: the failure, the mail server's answer as a number, and the
    attempts.
    """
    SCOPE_DENIED = "scope.denied"
    """Something was refused: another persona's operation, a row out of scope, or what an API token does not list.
    Detail: the operation, and the reason.
    """
    DATA_READ = "data.read"
    """Rows were read. Detail: how many, of what, and the filter; events and times as they are, free text as keyed
    hashes.
    """
    SETTING_CHANGED = "setting.changed"
    """A setting of the tenant was changed. Detail: the value before and after, numbers as they are and words as
    keyed hashes.
    """
    REDACTION_CHANGED = "redaction.changed"
    """The redaction profile was changed. Detail: the one before and after, and how many classes, entries of the lists
    and patterns it has.
    """
    DEPARTMENT_CREATED = "department.created"
    """A department was made."""
    IMPORT_STARTED = "import.started"
    """An import of a file was opened. Detail: the source."""
    IMPORT_RECEIVED = "import.received"
    """A part of a file arrived, or the file was whole. Detail: the part's number, and bytes."""
    IMPORT_ADVANCED = "import.advanced"
    """Lines of an import were counted, in one step. Detail: the step, and how many lines were added, known or
    skipped.
    """
    IMPORT_FINISHED = "import.finished"
    """An import ended. Detail: how, why, and its lines, signals and new tasks."""
    IMPORT_CANCELLED = "import.cancelled"
    """An import was cancelled. Detail: what it had counted by then."""
    IMPORT_SWEPT = "import.swept"
    """Abandoned imports were ended, and what was left of their files erased. Detail: how many."""
    PROPOSAL_DECIDED = "proposal.decided"
    """A proposal was accepted, returned or declined. Detail: the choice, the status before and after, and whether a
    reason was given.
    """
    NOTE_ADDED = "note.added"
    """A contributor added context of their own."""
    NOTE_WITHDRAWN = "note.withdrawn"
    """A contributor took a note back."""
    JOB_SCHEDULED = "job.scheduled"
    """A job's time came. Detail: its kind, and whether it was there already."""
    JOB_STARTED = "job.started"
    """A worker took a job. Detail: its kind, the number of the claim, and how many workers it has killed."""
    JOB_ENDED = "job.ended"
    """A job ended. Detail: its kind, the outcome, and the attempts."""
    JOB_CANCELLED = "job.cancelled"
    """A job was cancelled. Detail: its kind, and its status after it."""
    JOB_RETRIED = "job.retried"
    """A job was put back in the queue. Detail: its kind, and its status before."""
    SIGNALS_MEASURED = "signals.measured"
    """The signals of a source were measured anew. Detail: how many, and how many tasks were found."""
    ALARM_RAISED = "alarm.raised"
    """An alarm was raised. Detail: its kind."""
    ALARM_DELIVERED = "alarm.delivered"
    """An alarm was delivered, or could not be. Detail: the channel, the failure, and the attempts."""
    ALARM_ACKNOWLEDGED = "alarm.acknowledged"
    """Somebody has seen an alarm."""
    ALARM_ASSIGNED = "alarm.assigned"
    """An alarm has an owner, or another one."""
    ALARM_RESOLVED = "alarm.resolved"
    """An alarm is over. Detail: its kind, and how many were ended where it ended by itself."""
    ALARM_ROUTES_CHANGED = "alarm_routes.changed"
    """Where alarms go was changed. Detail: before and after it, how many recipients, whether there is a webhook, and
    the least severity; and whether the secret is new.
    """
    ALARM_ROUTES_TESTED = "alarm_routes.tested"
    """A trial alarm was sent to where alarms go. Detail: the outcome by channel."""
    TOKEN_CREATED = "token.created"  # nosec B105: a name, no value
    """An API token was made. Detail: the operations that it may run, and for how many days."""
    TOKEN_REVOKED = "token.revoked"  # nosec B105: a name, no value
    """An API token is void."""
    AUDIT_VERIFIED = "audit.verified"
    """The log was verified. Detail: how many entries, whether all was proven, and how many checkpoints were brought
    along.
    """
    CHECKPOINT_MADE = "checkpoint.made"
    """The log was signed. Detail: how many entries the checkpoint covers."""
    RECEIPT_MADE = "receipt.made"
    """The receipt of an entry was made. Detail: how many entries its checkpoint covers."""
    SIEM_CHANGED = "siem.changed"
    """Where events are pushed was changed. Detail: the way, the form, and after which entry it begins."""
    SIEM_PUSHED = "siem.pushed"
    """Events were pushed to the SIEM, or could not be. Detail: up to which entry, and the outcome."""
    WITNESS_ADDED = "witness.added"
    """Checkpoints are handed to one more place. Detail: its kind."""
    WITNESS_REMOVED = "witness.removed"
    """A witness gets no more checkpoints. Detail: its kind, and how many entries the last one covered."""
    WITNESS_PUSHED = "witness.pushed"
    """A checkpoint was handed to a witness, or could not be. Detail: how many entries it covers, and the outcome."""
    AUDIT_REHEARSED = "audit.rehearsed"
    """An attack was rehearsed on a copy of the log. Detail: which attack, and whether it was named."""
    AUDIT_EXPORTED = "audit.exported"
    """The log was exported. Detail: from which entry on, how many entries, and the checkpoint in it."""
    PLATFORM_KEY_MADE = "platform_key.made"
    """The platform has a key for its own secrets; in the platform's own log. Detail: who keeps it."""
    SIGNING_KEY_MADE = "signing_key.made"
    """Checkpoints are signed with a new key from now on; in the platform's own log. Detail: its public half."""
    SSO_CHANGED = "sso.changed"
    """Single sign-on was set up anew, or its groups. Detail: what; names as keyed hashes."""
    SSO_TESTED = "sso.tested"
    """The identity provider was asked for its configuration. Detail: the keyed hash of its address."""


def meanings() -> dict[Event, str]:
    """Each event's meaning, as it stands below it. Raises ValueError where one has none."""
    body = next(node.body for node in ast.parse(inspect.getsource(Event)).body if isinstance(node, ast.ClassDef))
    found: dict[Event, str] = {}
    for statement, following in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.Assign):
            name = ast.unparse(statement.targets[0])
            if not (isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant)):
                raise ValueError(f"the event {name} has no meaning")
            found[Event[name]] = " ".join(str(following.value.value).split())
    return found
