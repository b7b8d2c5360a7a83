"""Plain HTML pages that need no script: sign-in, invitation, and the pages that say what went wrong."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import Literal
from urllib.parse import quote

from workreef_app.http.frontend import ROOT

# Both are in the page itself: it must look the same where nothing else is served, as at an unknown host.
_STYLE = (ROOT / "assets" / "plain.css").read_text()
_ICON = "data:image/svg+xml;base64," + b64encode((ROOT / "assets" / "favicon.svg").read_bytes()).decode()
#: By what people may sign in: a password alone, single sign-on as well, or single sign-on for all but admins.
Ways = Literal["password", "both", "single"]
_HEAD = f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="{_ICON}"><style>{_STYLE}</style>"""


def page(title: str, body: str) -> str:
    """A whole page. `body` is HTML; `title` is text."""
    return f"""{_HEAD}<title>{escape(title)} · WorkReef</title></head>
<body><main class="card"><p class="brand">WorkReef</p>{body}</main></body></html>"""


def message(title: str, sentences: list[str], *, request_id: str = "", home: bool = True) -> str:
    """A page that says something and leads back."""
    body = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(s)}</p>" for s in sentences)]
    if home:
        body.append('<p><a href="/start">Go to the start page</a></p>')
    if request_id:
        body.append(f'<p class="faint">Request <code>{escape(request_id)}</code></p>')
    return page(title, "".join(body))


def _error(text: str) -> str:
    return f'<p class="error" role="alert">{escape(text)}</p>' if text else ""


def sign_in(
    tenant: str, *, error: str = "", email: str = "", then: str = "/start", note: str = "", ways: Ways = "password",
) -> str:
    """The sign-in form; above it the link to single sign-on, where that is a way in."""
    told = f'<p class="note" role="status">{escape(note)}</p>' if note else ""
    return page("Sign in", f"""<h1>Sign in</h1><p class="faint">{escape(tenant)}</p>{told}{_error(error)}
{_single(then, ways)}<form method="post" action="/auth/login">
<label for="email">Email</label>
<input id="email" name="email" type="email" autocomplete="username" required autofocus value="{escape(email)}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<input type="hidden" name="then" value="{escape(then)}">
<button type="submit">Sign in</button></form><script src="/draft.js" data-forget defer></script>""")


def _single(then: str, ways: Ways) -> str:
    """The way in by single sign-on, and what the form below it is for."""
    if ways == "password":
        return ""
    href = f"/auth/oidc/start?then={quote(then, safe='')}"
    below = "Or with a password, for admins" if ways == "single" else "Or with a password"
    return f"""<p><a class="button" href="{escape(href)}">Sign in with single sign-on</a></p>
<p class="faint">{below}</p>"""


def locked(tenant: str) -> str:
    """What stands in place of the sign-in form while the tenant's key does not answer."""
    return message(f"{tenant} is locked", [
        "Its key does not answer. People's names and passwords are sealed under it, so nobody can sign in.",
        "Whoever keeps the key can enable it again. What was audited stays verifiable meanwhile.",
    ], home=False)


def invitation(tenant: str, token: str, minimum: int, *, error: str = "") -> str:
    """The form by which an invited person sets a password."""
    return page("Set your password", f"""<h1>Set your password</h1>
<p class="faint">{escape(tenant)}</p>{_error(error)}
<form method="post" action="/invite/{escape(token)}">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="{minimum}" required
 autofocus aria-describedby="rule">
<p id="rule" class="faint">At least {minimum} characters. Pasting is fine.</p>
<button type="submit">Set password and sign in</button></form>""")
