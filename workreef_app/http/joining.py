"""The plain pages by which people get in: invitation, forgotten password, second factor, and its set-up."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from workreef_app.http.plain import field, form, heading, message, page
from workreef_app.services.access.passwords import MINIMUM

RULE = f"At least {MINIMUM} characters, and none of the common ones. Pasting is fine."
_LENGTH = f' minlength="{MINIMUM}"'


def _new_password(label: str = "Password", *, focus: bool = True) -> str:
    return field(
        "password", label, kind="password", complete="new-password", rule=RULE, focus=focus, more=_LENGTH
    )


def _code(label: str = "Code") -> str:
    return field("code", label, complete="one-time-code", focus=True, more=' inputmode="text" maxlength="40"')


def invitation(tenant: str, token: str, *, error: str = "") -> str:
    """The form by which an invited person sets a password."""
    return page("Set your password", heading("Set your password", tenant, error=error) + form(
        f"/invite/{token}", "Set password and sign in", _new_password()
    ))


def forgot(tenant: str, *, error: str = "") -> str:
    """The form that asks for a link by mail."""
    return page("Forgot your password", heading("Forgot your password", tenant, error=error) + form(
        "/forgot", "Send me a link", field("email", "Email", kind="email", complete="username", focus=True)
    ) + '<p class="more"><a href="/login">Back to sign-in</a></p>')


def asked(tenant: str, *, mail: bool) -> str:
    """What is said to everybody who asked for a link."""
    if mail:
        return message("Look at your mail", [
            f"If somebody at {tenant} has this email, a link is on its way. It works once, within an hour.",
        ], home=False)
    return message("Ask an admin", [
        "WorkReef sends no mail here. An admin can make a link for you by which you set a new password.",
    ], home=False)


def reset(tenant: str, token: str, *, error: str = "") -> str:
    """The form by which somebody sets a new password."""
    return page("Set a new password", heading("Set a new password", tenant, error=error) + form(
        f"/reset/{token}", "Set the new password", _new_password("New password")
    ))


def second_factor(tenant: str, *, then: str, error: str = "") -> str:
    """The form that asks for the code of the second factor."""
    return page("Second factor", heading("Second factor", tenant, error=error) + form(
        "/auth/code", "Sign in", _code("Code of your authenticator, or a recovery code"), hidden={"then": then}
    ) + '<p class="more"><a href="/login">Start again</a></p>')


def prove(tenant: str, *, then: str, factor: bool, error: str = "") -> str:
    """The form by which somebody who is signed in proves anew who they are."""
    fields = [field("password", "Password", kind="password", complete="current-password", focus=True)]
    if factor:
        fields.append(field("code", "Code of your second factor", complete="one-time-code", more=' maxlength="40"'))
    return page("Is it you?", heading("Is it you?", tenant, error=error)
                + "<p>What you are about to do needs a fresh proof. It holds for five minutes.</p>"
                + form("/auth/prove", "Go on", *fields, hidden={"then": then}))


def password(tenant: str, *, error: str = "") -> str:
    """The form by which somebody changes their password."""
    return page("Change your password", heading("Change your password", tenant, error=error) + form(
        "/auth/password", "Change password",
        field("current", "Present password", kind="password", complete="current-password", focus=True),
        _new_password("New password", focus=False),
    ) + "<p class=\"faint\">Your other browsers are signed out.</p>" + _back())


def enrol(tenant: str, secret: str, picture: str, *, error: str = "") -> str:
    """The set-up of a second factor: a picture to scan, the same to type, a first code. `picture` is SVG of ours."""
    spaced = " ".join(secret[i:i + 4] for i in range(0, len(secret), 4))
    return page("Set up a second factor", heading("Set up a second factor", tenant, error=error)
                + "<p>Scan this with an authenticator app, or type the key into it. Then give the code it shows.</p>"
                + f'<div class="qr">{picture}</div>'
                + f'<p>Key <code class="key">{escape(spaced)}</code></p>'
                + form("/auth/factor", "Switch it on", _code("First code")) + _back())


def enrolled(tenant: str, standing: str, *, error: str = "", required: bool = False) -> str:
    """What somebody with a second factor can do about it. It cannot be taken away where it is required."""
    renew = form("/auth/factor/codes", "Make new recovery codes")
    take = form("/auth/factor/remove", "Take the second factor away", field(
        "code", "A code of it, or a recovery code", complete="one-time-code", more=' maxlength="40"'
    ))
    return page("Second factor", heading("Second factor", tenant, error=error) + f"<p>{escape(standing)}</p>" + renew
                + ("<p>Admins must have one here.</p>" if required else take) + _back())


def recovery_codes(tenant: str, codes: Sequence[str]) -> str:
    """The recovery codes, shown this once."""
    listed = "".join(f"<li><code>{escape(code)}</code></li>" for code in codes)
    return page("Recovery codes", heading("Recovery codes", tenant)
                + "<p>Each stands in for your authenticator once. They are shown this once: keep them where you keep "
                "what must not be lost.</p>"
                + f'<ol class="codes">{listed}</ol>' + '<p class="more"><a href="/start">I have kept them</a></p>')


def _back() -> str:
    return '<p class="more"><a href="/account">Back to your account</a></p>'
