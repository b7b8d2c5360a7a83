"""Why a sign-in by single sign-on was refused: a code for the audit log, a sentence for the person."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from workreef_app.services.operation import SignInRefused


class Reason(StrEnum):
    """A code, never what the other side said."""

    NOT_ENABLED = "not_enabled"
    NO_FLOW = "no_flow"
    """No cookie of ours, or one of another host or tenant, or a changed one."""
    FLOW_EXPIRED = "flow_expired"
    WRONG_STATE = "wrong_state"
    REPLAYED = "replayed"
    PROVIDER_REFUSED = "provider_refused"
    PROVIDER_DOWN = "provider_down"
    PROVIDER_GARBLED = "provider_garbled"
    CLIENT_REFUSED = "client_refused"
    CODE_REFUSED = "code_refused"
    WRONG_ISSUER = "wrong_issuer"
    WRONG_ALGORITHM = "wrong_algorithm"
    UNKNOWN_KEY = "unknown_key"
    WRONG_SIGNATURE = "wrong_signature"
    WRONG_AUDIENCE = "wrong_audience"
    WRONG_NONCE = "wrong_nonce"
    WRONG_TIME = "wrong_time"
    WRONG_HASH = "wrong_hash"
    WRONG_CLAIMS = "wrong_claims"
    NO_EMAIL = "no_email"
    EMAIL_NOT_VERIFIED = "email_not_verified"
    WRONG_DOMAIN = "wrong_domain"
    NO_GROUP = "no_group"
    DEACTIVATED = "deactivated"
    NOT_LINKED = "not_linked"
    HAS_PASSWORD = "has_password"  # nosec B105: a name, no value
    OTHER_ACCOUNT = "other_account"


_AGAIN = "Begin again from the sign-in page."
_ADMIN = "Tell an admin."
_UNTRUSTED = f"The provider's answer could not be trusted, so nobody was signed in. {_ADMIN}"
#: What the person is told. Whatever is wrong with a token is one sentence; its code is beside it.
SENTENCES: Final[Mapping[Reason, str]] = MappingProxyType({
    **dict.fromkeys(Reason, _UNTRUSTED),
    Reason.NOT_ENABLED: "Single sign-on is not set up here. Sign in with your email and password.",
    Reason.NO_FLOW: f"This sign-in was not begun in this browser. {_AGAIN}",
    Reason.FLOW_EXPIRED: f"This sign-in took longer than ten minutes. {_AGAIN}",
    Reason.WRONG_STATE: f"This answer belongs to another sign-in. {_AGAIN}",
    Reason.REPLAYED: f"This sign-in was used already. {_AGAIN}",
    Reason.PROVIDER_REFUSED: f"The provider did not sign you in. {_AGAIN}",
    Reason.PROVIDER_DOWN: "The provider does not answer now. Try again in a moment.",
    Reason.PROVIDER_GARBLED: f"The provider's answer could not be read. {_ADMIN}",
    Reason.CLIENT_REFUSED: f"The provider does not know WorkReef by the client id and secret that are set. {_ADMIN}",
    Reason.CODE_REFUSED: f"The provider took back its answer. {_AGAIN}",
    Reason.NO_EMAIL: f"The provider gave no email for you. {_ADMIN}",
    Reason.EMAIL_NOT_VERIFIED: f"The provider has not verified your email. {_ADMIN}",
    Reason.WRONG_DOMAIN: f"Your email is of a domain that may not sign in here. {_ADMIN}",
    Reason.NO_GROUP: f"None of your groups at the provider may sign in here. {_ADMIN}",
    Reason.DEACTIVATED: f"Your account here is deactivated. {_ADMIN}",
    Reason.NOT_LINKED: f"There is an account with your email already, and it is not linked to the provider. {_ADMIN}",
    Reason.HAS_PASSWORD: "There is an account with your email already, and it has a password. Sign in with it, or ask "
                         "an admin to hand the account over to single sign-on.",
    Reason.OTHER_ACCOUNT: "The account with your email belongs to another account at the provider. "
                          f"{_ADMIN}",
})


class SignOnRefused(SignInRefused):
    """Nobody was signed in; the audit log holds the reason."""

    code = "sign_on_refused"

    def __init__(self, reason: Reason) -> None:
        super().__init__(SENTENCES[reason], reason=reason.value, method="oidc")
        self.reason = reason
