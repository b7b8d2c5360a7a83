"""There is one way out: nothing but `services/outbound` opens a connection to anywhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "workreef_app"
WAY_OUT = "workreef_app/services/outbound/"

#: Modules that can reach another host: the language's own, and what may be installed beside them.
CONNECTING = frozenset({
    "socket", "socketserver", "ssl", "http.client", "urllib.request", "urllib.robotparser", "ftplib", "imaplib",
    "poplib", "nntplib", "smtplib", "telnetlib", "xmlrpc.client", "webbrowser", "multiprocessing.connection",
    "logging.handlers", "_socket", "asyncore", "asynchat", "httpx", "httpcore", "requests", "urllib3", "aiohttp",
    "httplib2", "pycurl", "h11", "websocket", "websockets", "wsproto", "paramiko", "grpc", "boto3", "botocore",
    "aiobotocore", "azure", "google.cloud", "googleapiclient", "hvac", "openai", "anthropic", "mcp", "authlib",
    "litellm", "redis", "limits.storage.redis", "slack_sdk", "sentry_sdk", "aiosmtplib", "dns", "kubernetes", "docker",
})
#: Calls of asyncio that do the same.
CALLS = frozenset({
    "open_connection", "open_unix_connection", "create_connection", "create_unix_connection",
    "create_datagram_endpoint", "sock_connect",
})
#: Programs that do, where one is started.
PROGRAMS = frozenset({"curl", "wget", "nc", "ncat", "ssh", "scp", "sendmail", "telnet", "openssl"})

#: What was reviewed: which file uses which module, and why it is no way out.
REVIEWED = {
    ("workreef_app/services/tenancy/embedded.py", "socket"): "asks our own Postgres on its Unix socket if it is up",
    ("workreef_app/services/workers/process.py", "socket"): "the name of this host, for the list of workers",
    ("workreef_app/services/limiting/shared.py", "redis"): "counts calls in the platform's own Redis",
    ("workreef_app/services/limiting/shared.py", "limits.storage.redis"): "the same, by the library's own storage",
    ("workreef_app/http/server.py", "socket"): "asks whether our own port is free, by binding it",
    ("workreef_app/services/sso/flow.py", "authlib"): "the S256 challenge of a text: a pure function",
    ("workreef_app/services/sso/signing_on.py", "authlib"): "an address with its query: a pure function",
    ("workreef_app/services/sso/tokens.py", "authlib"): "the half hash of a text: a pure function",
    ("workreef_app/services/witnesses/sending.py", "botocore"): "signs a request: a pure function",
    ("workreef_app/demo/start.py", "http.client"): "waits until our own server on this host answers",
}


def _listed(name: str) -> str | None:
    """The entry of the list that a module's name falls under."""
    parts = name.split(".")
    return next((".".join(parts[:n]) for n in range(1, len(parts) + 1) if ".".join(parts[:n]) in CONNECTING), None)


def _names(node: ast.AST) -> Iterator[str]:
    """The modules and connecting calls that a piece of code names."""
    match node:
        case ast.Import(names=names):
            yield from (found for alias in names if (found := _listed(alias.name)))
        case ast.ImportFrom(module=str(module), names=names, level=0):
            inner = (_listed(f"{module}.{alias.name}") for alias in names)
            yield from dict.fromkeys(found for found in (_listed(module), *inner) if found)
        case ast.Attribute(attr=attr) if attr in CALLS:
            yield attr
        case ast.Call(func=function, args=[ast.Constant(value=str(text)), *_]):
            called = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
            if called in {"import_module", "__import__"} and (found := _listed(text)):
                yield found
        case ast.List(elts=[ast.Constant(value=str(text)), *_]) | ast.Tuple(elts=[ast.Constant(value=str(text)), *_]):
            if text.rpartition("/")[2] in PROGRAMS:
                yield text


def ways_out(source: str) -> list[str]:
    """What in a module's source can open a connection, by name, each once."""
    return list(dict.fromkeys(name for node in ast.walk(ast.parse(source)) for name in _names(node)))


def _found() -> set[tuple[str, str]]:
    found = set()
    for file in sorted(PACKAGE.rglob("*.py")):
        path = file.relative_to(ROOT).as_posix()
        if not path.startswith(WAY_OUT):
            found |= {(path, name) for name in ways_out(file.read_text())}
    return found


def test_nothing_else_opens_a_connection() -> None:
    others = sorted(_found() - set(REVIEWED))
    assert not others, f"a way out beside services/outbound; call it instead: {others}"


def test_every_reviewed_exception_is_still_there() -> None:
    assert set(REVIEWED) - _found() == set()


def test_the_way_out_is_where_it_is_said_to_be() -> None:
    names = {name for file in (ROOT / WAY_OUT).glob("*.py") for name in ways_out(file.read_text())}
    assert {"httpx", "httpcore", "smtplib", "socket"} <= names


@pytest.mark.parametrize(("planted", "name"), [
    ("import httpx", "httpx"),
    ("import requests as r", "requests"),
    ("import os, socket", "socket"),
    ("from urllib import request", "urllib.request"),
    ("from urllib.request import urlopen", "urllib.request"),
    ("import urllib.request", "urllib.request"),
    ("from http import client", "http.client"),
    ("from http.client import HTTPSConnection", "http.client"),
    ("def f():\n    import smtplib", "smtplib"),
    ("if True:\n    from openai import OpenAI", "openai"),
    ("from google.cloud import kms", "google.cloud"),
    ("from azure.identity import DefaultAzureCredential", "azure"),
    ("import importlib\nimportlib.import_module('boto3')", "boto3"),
    ("m = __import__('anthropic')", "anthropic"),
    ("async def f():\n    await asyncio.open_connection('a', 1)", "open_connection"),
    ("async def f(loop):\n    await loop.create_connection(P, 'a', 1)", "create_connection"),
    ("subprocess.run(['/usr/bin/curl', url])", "/usr/bin/curl"),
    ("subprocess.run(('wget', url))", "wget"),
    ("from logging.handlers import HTTPHandler", "logging.handlers"),
])
def test_a_planted_way_out_is_found(planted: str, name: str) -> None:
    assert ways_out(planted) == [name]


@pytest.mark.parametrize("harmless", [
    "from urllib.parse import urlsplit", "from http import HTTPStatus", "import sockets_of_ours", "import json",
    "from workreef_app.services.outbound.calls import call", "from . import socket_of_ours", "x = ['a', 'curl']",
])
def test_what_is_no_way_out_is_left_alone(harmless: str) -> None:
    assert ways_out(harmless) == []
