"""Reflex configuration: one origin for pages, events and HTTP; page state in memory only."""

import os

import reflex as rx

PORT = int(os.environ.get("WORKREEF_PORT", "3000"))
ORIGIN = f"http://localhost:{PORT}"  # the page replaces the host by its own, and http by https where it is

config = rx.Config(
    app_name="workreef_app",
    frontend_port=PORT,
    backend_port=PORT,
    api_url=ORIGIN,
    deploy_url=ORIGIN,
    telemetry_enabled=False,
    show_built_with_reflex=False,
    # Decrypted text must not outlive the session: never on disk or in Redis, and forgotten when unused
    # for 15 minutes (the setting's name speaks of Redis; the memory manager reads it too).
    state_manager_mode="memory",
    redis_token_expiration=900,
    # An empty list allows no foreign origin over HTTP and leaves the socket's check to our own middleware,
    # which knows the tenant's host; a static list cannot.
    cors_allowed_origins=[],
    disable_plugins=[rx.plugins.SitemapPlugin],
    plugins=[
        rx.plugins.RadixThemesPlugin(
            theme=rx.theme(accent_color="teal", gray_color="slate", radius="medium", scaling="95%")
        )
    ],
)
