"""Plain HTML pages that need no script: sign-in, and the pages that say what went wrong.

`joining` and `signup_routes` hold the other forms, made of the pieces here.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from html import escape
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote

from workreef_app.http import form_tokens
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


def message(title: str, sentences: list[str], *, request_id: str = "", home: bool = True, more: str = "") -> str:
    """A page that says something and leads back. `more` is HTML of ours."""
    body = [f"<h1>{escape(title)}</h1>", *(f"<p>{escape(s)}</p>" for s in sentences)]
    if home:
        body.append('<p><a href="/start">Go to the start page</a></p>')
    body.append(more)
    if request_id:
        body.append(f'<p class="faint">Request <code>{escape(request_id)}</code></p>')
    return page(title, "".join(body))


def _error(text: str) -> str:
    return f'<p class="error" role="alert">{escape(text)}</p>' if text else ""


def field(
    name: str, label: str, *, kind: str = "text", complete: str = "off", value: str = "", rule: str = "",
    focus: bool = False, more: str = "",
) -> str:
    """A labelled field that must be filled in; `rule` says beneath it what is accepted. `more` is HTML of ours."""
    said = f'<p id="{name}-rule" class="faint">{escape(rule)}</p>' if rule else ""
    extra = (f' aria-describedby="{name}-rule"' if rule else "") + (" autofocus" if focus else "") + more
    return f"""<label for="{name}">{escape(label)}</label>
<input id="{name}"
 name="{name}" type="{kind}" autocomplete="{complete}" value="{escape(value)}" required{extra}>{said}"""


def form(action: str, button: str, *fields: str, hidden: Mapping[str, str] = MappingProxyType({})) -> str:
    """A form that is posted to `action`, with the token that shows that it is ours. Every form of the plain pages is
    made here.
    """
    carried = {**hidden, form_tokens.FIELD: form_tokens.token_for(action)}
    kept = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in carried.items()
    )
    return f"""<form method="post" action="{escape(action)}">
{"".join(fields)}{kept}<button type="submit">{escape(button)}</button></form>"""


def heading(title: str, under: str = "", *, error: str = "", note: str = "") -> str:
    """A page's heading, whose it is, and what is to be said first."""
    told = f'<p class="note" role="status">{escape(note)}</p>' if note else ""
    return f'<h1>{escape(title)}</h1><p class="faint">{escape(under)}</p>{told}{_error(error)}'


def sign_in(
    tenant: str, *, error: str = "", email: str = "", then: str = "/start", note: str = "", ways: Ways = "password",
) -> str:
    """The sign-in form; above it the link to single sign-on, where that is a way in."""
    return page("Sign in", heading("Sign in", tenant, error=error, note=note) + _single(then, ways) + form(
        "/auth/login", "Sign in",
        field("email", "Email", kind="email", complete="username", value=email, focus=True),
        field("password", "Password", kind="password", complete="current-password"),
        hidden={"then": then},
    ) + '<p class="more"><a href="/forgot">Forgot your password?</a></p>'
        '<script src="/draft.js" data-forget defer></script>')


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
