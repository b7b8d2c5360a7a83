"""A session that ends closes what it has open, in a process that is not the one that ended it."""

from __future__ import annotations

from tests.serving import Served
from tests.sockets.tab import ROOT, SHELL, Tab, event, leaving
from tests.web import end_session

BOOT = event(ROOT + "hydrate_and_load", {"vars": {}, "hashes": {}})


def closes(tab: Tab) -> bool:
    """Whether the tab is sent to sign-in, nothing else is told, and then the server disconnects it."""
    seen = tab.until(lambda message: leaving(message) is not None)
    assert seen[-1]["delta"] == {SHELL: {"leave_to_rx_state_": "/login"}}
    tab.until(lambda message: str(message.get("packet", "")).startswith("41/_event"))
    return True


def test_what_another_process_ends_is_closed_here_and_nothing_else_is(served: Served) -> None:
    ended, other = served.person("health", "operator"), served.person("health", "operator")
    with Tab(served, "health", served.cookie(other)).join(BOOT) as stays:
        stays.settled()
        with Tab(served, "health", served.cookie(ended)).join(BOOT) as tab:
            tab.settled()
            served.door.perform(ended, "sessions.end", {})
            assert closes(tab)
        assert leaving(stays.settled()[-1]) is None


def test_what_ended_while_the_word_could_not_be_heard_is_closed_when_it_can(served: Served) -> None:
    caller, other = served.person("health", "operator"), served.person("health", "operator")
    with Tab(served, "health", served.cookie(other)).join(BOOT) as stays:
        stays.settled()
        with Tab(served, "health", served.cookie(caller)).join(BOOT) as tab:
            tab.settled()
            end_session(served.door, caller)  # beside the product: nobody is told
            with served.door.platform.control.connect() as connection:
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE query = 'LISTEN workreef_sessions_ended'"
                )
            assert closes(tab)
        assert leaving(stays.settled()[-1]) is None
