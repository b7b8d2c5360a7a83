"""The embedded Postgres, with real servers: who gets in, who starts and stops it, and what it survives."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import workreef_app
from workreef_app.services.tenancy import (
    embedded,
    embedded_account,
    embedded_errors,
    embedded_files,
    embedded_orphans,
)
from workreef_app.services.tenancy import embedded_server as server
from workreef_app.services.tenancy.embedded import Embedded, EmbeddedError, lease, restart, start, stop

REPOSITORY = str(Path(workreef_app.__file__).parents[1])
ANOTHER = embedded_account.Account("another", 4242, 4242)


@contextlib.contextmanager
def directory_of_a_server() -> Iterator[Path]:
    """A data directory, and no server left in it.

    Not under pytest's own directory: each run of pytest that root starts closes that again, even to the
    account of a server that another run is just starting.
    """
    with tempfile.TemporaryDirectory(prefix="workreef-test-") as base:
        directory = Path(base) / "postgres"
        yield directory
        stop(directory)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with directory_of_a_server() as directory:
        yield directory


@pytest.fixture(scope="module")
def kept_dir() -> Iterator[Path]:
    """One data directory for the tests that leave it as they found it, its server stopped or not."""
    with directory_of_a_server() as directory:
        start(directory)
        yield directory


@pytest.fixture
def running(kept_dir: Path) -> Embedded:
    return start(kept_dir)


def ask(url: str, query: str) -> object:
    with psycopg.connect(url, connect_timeout=10) as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]


def server_pid(data_dir: Path) -> int:
    found = embedded_files.postmaster(data_dir / "pgdata")
    assert found is not None
    return found.pid


def is_running(data_dir: Path) -> bool:
    """Whether any process of the server lives: they hold this lock."""
    descriptor = os.open(data_dir / "server.lock", os.O_RDWR)
    try:
        return not embedded_files.try_lock(descriptor)
    finally:
        os.close(descriptor)


def program(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([REPOSITORY, *sys.path])},
    )


def kill(data_dir: Path) -> None:
    """SIGKILL to the server's first process; returns when it is gone."""
    pid = server_pid(data_dir)
    os.kill(pid, signal.SIGKILL)
    while embedded_files.is_server(pid, data_dir / "pgdata"):
        pass


HOLDER = """
import sys
import tempfile
from pathlib import Path
from workreef_app.services.tenancy.embedded import lease
with lease(Path(sys.argv[1])) as found:
    print(found.socket_dir, flush=True)
    sys.stdin.read()
"""


def test_first_start_second_attach_and_stop(data_dir: Path) -> None:
    first = start(data_dir, max_connections=37)
    pid = server_pid(data_dir)
    assert start(data_dir) == first
    assert server_pid(data_dir) == pid
    assert ask(first.url(), "SELECT current_user || '@' || current_database()") == "workreef@workreef_control"
    assert ask(first.url(), "SHOW max_connections") == "37"
    assert ask(first.url(), "SHOW server_version_num")[:2] == "18"  # type: ignore[index]
    assert stop(data_dir) is True
    assert stop(data_dir) is False
    assert not is_running(data_dir)


def test_passwords_and_data_survive_a_restart(kept_dir: Path, running: Embedded) -> None:
    with psycopg.connect(running.url()) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 7 AS n")
    assert stop(kept_dir)
    again = start(kept_dir)
    assert again == running
    assert ask(again.url(), "SELECT n FROM kept") == 7


@pytest.mark.parametrize("user", ["workreef", "postgres"])
@pytest.mark.parametrize("password", ["", ":wrong"])
def test_nobody_gets_in_without_the_right_password(running: Embedded, user: str, password: str) -> None:
    url = f"postgresql://{user}{password}@/workreef_control?host={running.socket_dir}"
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(url)


def test_secrets_are_closed_to_others_and_not_printed(kept_dir: Path, running: Embedded) -> None:
    assert running.password not in repr(running)
    assert kept_dir.stat().st_mode & 0o007 == 0
    for name in ("passwords.json", "server.log", "pgdata", "run"):
        assert (kept_dir / name).stat().st_mode & 0o077 == 0
    assert running.password not in (kept_dir / "server.log").read_text()


def test_the_product_may_make_roles_and_databases_and_is_no_superuser(running: Embedded) -> None:
    facts = ask(
        running.url(),
        "SELECT (rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls)::text"
        " FROM pg_roles WHERE rolname = current_user",
    )
    assert facts == "(f,t,t,f,f)"
    with psycopg.connect(running.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE made_by_the_product")
        connection.execute("CREATE DATABASE made_by_the_product")
        connection.execute("DROP DATABASE made_by_the_product")
        connection.execute("DROP ROLE made_by_the_product")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE ROLE too_much SUPERUSER")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("COPY (SELECT 1) TO PROGRAM 'true'")


@pytest.mark.parametrize("database", ["postgres", "template1", "workreef_control"])
def test_a_role_of_its_own_right_connects_nowhere(running: Embedded, database: str) -> None:
    with psycopg.connect(running.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE stranger LOGIN PASSWORD 'known'")
    try:
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(f"postgresql://stranger:known@/{database}?host={running.socket_dir}")
    finally:
        with psycopg.connect(running.url(), autocommit=True) as connection:
            connection.execute("DROP ROLE stranger")


def test_control_database_is_the_products_own_in_utf8(running: Embedded) -> None:
    query = (
        "SELECT pg_encoding_to_char(encoding) || ' ' || pg_get_userbyid(datdba)"
        " FROM pg_database WHERE datname = current_database()"
    )
    assert ask(running.url(), query) == "UTF8 workreef"


def test_durability_and_the_closed_port_cannot_be_set_away(kept_dir: Path) -> None:
    stop(kept_dir)
    wishes = {"fsync": "off", "listen_addresses": "*", "work_mem": "5MB"}
    found = start(kept_dir, settings=wishes)
    assert ask(found.url(), "SHOW fsync") == "on"
    assert ask(found.url(), "SHOW listen_addresses") == ""
    assert ask(found.url(), "SHOW work_mem") == "5MB"
    stop(kept_dir)


def test_errors_in_the_log_quote_no_data(kept_dir: Path, running: Embedded) -> None:
    with psycopg.connect(running.url(), autocommit=True) as connection:
        connection.execute("CREATE TEMP TABLE one (email text PRIMARY KEY)")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO one VALUES ('ada@example.com'), ('ada@example.com')")
    assert "ada@example.com" not in (kept_dir / "server.log").read_text()


def test_ctrl_c_of_the_terminal_does_not_reach_the_server(kept_dir: Path, running: Embedded) -> None:
    assert os.getsid(server_pid(kept_dir)) != os.getsid(0)


def test_the_last_user_stops_it(kept_dir: Path) -> None:
    stop(kept_dir)
    with lease(kept_dir) as first:
        with lease(kept_dir) as second:
            assert second == first
        assert ask(first.url(), "SELECT 1") == 1
    assert not is_running(kept_dir)


def test_another_process_keeps_it_until_it_ends(kept_dir: Path) -> None:
    stop(kept_dir)
    with lease(kept_dir) as mine:
        other = program(HOLDER, kept_dir)
        assert other.stdout
        assert other.stdout.readline().strip() == str(mine.socket_dir)
    assert is_running(kept_dir)
    other.communicate("")
    assert other.returncode == 0
    assert not is_running(kept_dir)


def test_a_killed_user_does_not_keep_it(kept_dir: Path) -> None:
    stop(kept_dir)
    other = program(HOLDER, kept_dir)
    assert other.stdout
    assert other.stdout.readline()
    with lease(kept_dir):
        other.kill()
        other.communicate()
    assert not is_running(kept_dir)


def test_a_server_left_by_a_killed_user_is_found(kept_dir: Path) -> None:
    stop(kept_dir)
    other = program(HOLDER, kept_dir)
    assert other.stdout
    assert other.stdout.readline()
    other.kill()
    other.communicate()
    pid = server_pid(kept_dir)
    with lease(kept_dir):
        assert server_pid(kept_dir) == pid
    assert not is_running(kept_dir)


def test_users_that_come_and_go_together(kept_dir: Path) -> None:
    stop(kept_dir)
    users = [program(HOLDER, kept_dir) for _ in range(4)]
    for user in users:
        assert user.stdout
        assert user.stdout.readline()
    assert is_running(kept_dir)
    for user in users:
        user.communicate("")
        assert user.returncode == 0
    assert not is_running(kept_dir)


def test_a_killed_server_recovers_what_was_committed(kept_dir: Path) -> None:
    found = start(kept_dir)
    with psycopg.connect(found.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS committed AS SELECT 11 AS n")
        kill(kept_dir)
        again = start(kept_dir)
        assert ask(again.url(), "SELECT n FROM committed") == 11


BUSY = """
import psycopg, sys
with psycopg.connect(sys.argv[1]) as connection:
    print(connection.info.backend_pid, flush=True)
    connection.execute("SELECT count(*) FROM generate_series(1, 10000000000) g")
"""


@pytest.mark.parametrize("way", ["start", "stop"])
@pytest.mark.parametrize("still", [False, True], ids=["computes", "stands still"])
def test_a_backend_that_outlives_its_server_is_ended(kept_dir: Path, running: Embedded, way: str, still: bool) -> None:
    client = program(BUSY, running.url())
    assert client.stdout
    backend = int(client.stdout.readline())
    while ask(running.url(), f"SELECT state FROM pg_stat_activity WHERE pid = {backend}") != "active":
        pass
    if still:
        os.kill(backend, signal.SIGSTOP)
    try:
        kill(kept_dir)
        assert is_running(kept_dir)
        if way == "stop":
            assert stop(kept_dir)
            assert not is_running(kept_dir)
        assert ask(start(kept_dir).url(), "SELECT 1") == 1
        assert not embedded_files.is_server(backend, kept_dir.resolve() / "pgdata")
    finally:
        client.kill()
        client.communicate()


def test_backends_of_a_living_server_are_no_orphans(kept_dir: Path, running: Embedded) -> None:
    place = embedded_files.Place(kept_dir.resolve(), embedded_account.account_for(kept_dir))
    with psycopg.connect(running.url()) as connection:
        embedded_orphans.end_orphans(place, 60)
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_orphans_are_known_by_their_title_where_their_directory_is_not_shown(
    kept_dir: Path, running: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bool:
        raise PermissionError

    with psycopg.connect(running.url()) as connection:
        monkeypatch.setattr(os.path, "samefile", refuse)
        assert embedded_files.is_server(connection.info.backend_pid, kept_dir.resolve() / "pgdata")
        assert not embedded_files.is_server(connection.info.backend_pid, kept_dir.resolve().parent / "x" / "pgdata")


def test_a_restart_keeps_the_socket_and_makes_nothing(kept_dir: Path, running: Embedded) -> None:
    assert restart(kept_dir, running.socket_dir) == running
    kill(kept_dir)
    with tempfile.TemporaryDirectory(prefix="workreef-test-") as name:
        elsewhere = Path(name) / "socket"
        open_to = embedded_account.account_for(kept_dir)
        if open_to:
            embedded_account.let_enter(Path(name), open_to)
        found = restart(kept_dir, elsewhere)
        assert found.socket_dir == elsewhere
        assert found.password == running.password
        assert ask(found.url(), "SELECT 1") == 1
        stop(kept_dir)
        for gone in (Path(name) / "gone", Path(name)):
            with pytest.raises(EmbeddedError, match="missing or damaged"):
                restart(gone, elsewhere)
        assert not (Path(name) / "gone").exists()
        assert not (Path(name) / "pgdata").exists()


@pytest.mark.parametrize("first_line", ["", "rubbish", str(os.getpid())], ids=["empty", "rubbish", "reused"])
def test_a_stale_pid_file_is_mended(kept_dir: Path, first_line: str) -> None:
    found = start(kept_dir)
    pid_file = kept_dir / "pgdata" / "postmaster.pid"
    rest = pid_file.read_text().partition("\n")[2]
    stop(kept_dir)
    pid_file.write_text(f"{first_line}\n{rest}" if first_line else "")
    assert ask(start(kept_dir).url(), "SELECT 1") == 1
    assert found.socket_dir == kept_dir / "run"


def test_a_server_that_lost_its_socket_is_started_again(
    kept_dir: Path, running: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "_SOCKET_TIMEOUT", 0.05)
    embedded_files.socket_file(running.socket_dir).unlink()
    assert ask(start(kept_dir).url(), "SELECT 1") == 1


def test_a_server_that_somebody_else_started_is_left_alone(kept_dir: Path) -> None:
    stop(kept_dir)
    place = embedded_files.Place(kept_dir.resolve(), embedded_account.account_for(kept_dir))
    theirs = place.open("theirs.lock")
    assert embedded_files.try_lock(theirs)
    server.launch(place, server.Plan(18, 20, {}), theirs)
    os.close(theirs)
    pid = server_pid(kept_dir)
    try:
        with pytest.raises(EmbeddedError, match="not started by WorkReef"):
            start(kept_dir)
        assert embedded_files.is_server(pid, place.pgdata)
    finally:
        os.kill(pid, signal.SIGINT)
        theirs = place.open("theirs.lock")
        while not embedded_files.try_lock(theirs):
            pass
        os.close(theirs)


def test_a_server_is_known_by_its_command_where_its_directory_is_not_shown(
    kept_dir: Path, running: Embedded, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bool:
        raise PermissionError

    monkeypatch.setattr(os.path, "samefile", refuse)
    assert embedded_files.is_server(server_pid(kept_dir), kept_dir.resolve() / "pgdata")
    assert not embedded_files.is_server(os.getpid(), kept_dir.resolve() / "pgdata")
    assert stop(kept_dir)


KILLED_WHILE_MAKING = """
import os, signal, sys
from pathlib import Path
from workreef_app.services.tenancy import embedded, embedded_server
step, name = int(sys.argv[2]), sys.argv[3]
real, calls = getattr(embedded_server, name), []
def then_die(*arguments):
    done = real(*arguments)
    calls.append(1)
    if len(calls) == step:
        os.kill(os.getpid(), signal.SIGKILL)
    return done
setattr(embedded_server, name, then_die)
embedded.start(Path(sys.argv[1]))
"""


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (1, "passwords"),
        (1, "_popen"),
        (1, "_tool"),
        (2, "_popen"),
        (3, "_tool"),
        (1, "mend_pid_file"),
        (4, "_popen"),
    ],
)
def test_a_first_start_killed_anywhere_begins_again(data_dir: Path, step: int, name: str) -> None:
    maker = program(KILLED_WHILE_MAKING, data_dir, step, name)
    maker.communicate()
    assert maker.returncode == -signal.SIGKILL
    found = start(data_dir)
    assert ask(found.url(), "SELECT count(*) FROM pg_database") == 4
    assert not (data_dir / "pgdata.new").exists()


def test_a_long_path_gets_a_short_socket(data_dir: Path) -> None:
    long_dir = data_dir / ("long" * 20) / ("er" * 20) / "a b, c%" / "postgres"
    found = start(long_dir)
    try:
        assert long_dir not in found.socket_dir.parents
        assert found.socket_dir.stat().st_mode & 0o077 == 0
        assert ask(found.url(), "SELECT 1") == 1
    finally:
        stop(long_dir)
    assert not found.socket_dir.exists()


def test_version_16_works_too_and_is_not_read_by_18(data_dir: Path) -> None:
    found = start(data_dir, version=16)
    assert found.version == 16
    assert ask(found.url(), "SHOW server_version_num")[:2] == "16"  # type: ignore[index]
    with pytest.raises(EmbeddedError, match=r"made by Postgres 16.*dump it"):
        start(data_dir)


def test_unknown_versions_and_parameters_are_refused(data_dir: Path) -> None:
    with pytest.raises(EmbeddedError, match="choose 16 or 18"):
        start(data_dir, version=15)
    with pytest.raises(EmbeddedError, match="no name of a Postgres parameter"):
        start(data_dir, settings={"-c x": "y"})


def test_a_start_that_fails_gives_one_sentence_and_keeps_the_rest_in_the_log(
    kept_dir: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stop(kept_dir)
    with pytest.raises(EmbeddedError) as refused:
        start(kept_dir, settings={"work_mem": "nonsense"})
    assert 'invalid value for parameter "work_mem"' in str(refused.value)
    assert "\n" not in str(refused.value)
    assert str(kept_dir / "server.log") in str(refused.value)
    assert capfd.readouterr() == ("", "")
    assert not is_running(kept_dir)


def test_a_full_disk_gives_one_sentence(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = data_dir.parent / "initdb"
    tool.write_text("#!/bin/sh\necho 'could not write: No space left on device' >&2\nexit 1\n")
    tool.chmod(0o755)
    monkeypatch.setattr(server, "binary", lambda version, name: str(tool))
    monkeypatch.setattr(server, "open_the_way", lambda place, version: None)
    if account := embedded_account.account_for(data_dir.parent):
        embedded_account.let_enter(data_dir.parent, account)
    with pytest.raises(EmbeddedError, match=r"No space is left on the disk of .*free at least"):
        start(data_dir)
    monkeypatch.undo()
    assert ask(start(data_dir).url(), "SELECT 1") == 1


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "No space is left"), (errno.EACCES, "may not use /x"), (errno.EIO, "cannot be used")],
)
def test_errors_of_the_system_become_sentences(number: int, words: str) -> None:
    with pytest.raises(EmbeddedError, match=words), embedded_errors.one_sentence(Path("/d")):
        raise OSError(number, os.strerror(number), "/x")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ('FATAL:  lock file "postmaster.pid" already exists', "Another Postgres still uses"),
        ("FATAL:  could not map memory: Cannot allocate memory", "too little memory"),
        ("", "ended without a word"),
    ],
)
def test_what_the_server_said_becomes_a_sentence(said: str, words: str) -> None:
    assert words in embedded_errors.from_log(said, Path("/d"), Path("/d/log"))


def test_lost_passwords_are_not_made_anew(kept_dir: Path) -> None:
    stop(kept_dir)
    kept = kept_dir / "passwords.json"
    text = kept.read_text()
    kept.write_text("{")
    try:
        with pytest.raises(EmbeddedError, match=r"passwords\.json is missing or damaged"):
            start(kept_dir)
    finally:
        kept.write_text(text)


def test_the_data_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    with pytest.raises(EmbeddedError, match=r"belongs to .*: run this as"):
        embedded_account.account_for(tmp_path)


def test_a_socket_directory_of_another_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("open", "link"):
        with pytest.raises(EmbeddedError, match="made by somebody else"):
            embedded_files.own_directory(tmp_path / name, None)


def test_root_lets_the_servers_account_pass_closed_directories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists: dict[Path, bytes] = {}

    def get(path: Path, name: str) -> bytes:
        if path not in lists:
            raise OSError(errno.ENODATA, "none")
        return lists[path]

    monkeypatch.setattr(os, "getxattr", get)
    monkeypatch.setattr(os, "setxattr", lambda path, name, value: lists.__setitem__(path, value))
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "open" / "closed").mkdir(mode=0o700)
    embedded_account.let_enter(tmp_path / "open" / "closed", ANOTHER)
    first = dict(lists)
    embedded_account.let_enter(tmp_path / "open" / "closed", ANOTHER)
    assert lists == first
    assert tmp_path / "open" not in lists
    # version 2, then tag, bits, id: user::rwx user:4242:--x group::--- mask::--x other::---
    none = "ffffffff"
    expected = f"02000000 01000700{none} 0200010092100000 04000000{none} 10000100{none} 20000000{none}"
    assert lists[tmp_path / "open" / "closed"] == bytes.fromhex(expected)


def test_a_list_that_is_there_gives_nobody_else_more() -> None:
    user_obj, user, group_obj, mask, other, none = 1, 2, 4, 16, 32, 0xFFFFFFFF
    before = [(user_obj, 7, none), (user, 7, 1000), (group_obj, 5, none), (mask, 4, none), (other, 0, none)]
    after = embedded_account.with_entry(before, 4242)
    assert after == [
        (user_obj, 7, none),
        (user, 4, 1000),
        (user, 1, 4242),
        (group_obj, 4, none),
        (mask, 5, none),
        (other, 0, none),
    ]


def test_a_closed_directory_that_cannot_be_opened_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr(os, "getxattr", refuse, raising=False)
    monkeypatch.setattr(os, "setxattr", refuse, raising=False)
    (tmp_path / "closed").mkdir(mode=0o700)
    with pytest.raises(EmbeddedError, match=r"account another may not enter .*closed: run this as"):
        embedded_account.let_enter(tmp_path / "closed", ANOTHER)


def test_a_package_installed_under_a_closed_umask_is_opened_for_reading(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir(mode=0o700)
    for name, mode in (("bin/postgres", 0o700), ("bin/data", 0o600)):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(mode)
    embedded_account.let_read(tmp_path)
    assert (tmp_path / "bin/postgres").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "bin/data").stat().st_mode & 0o777 == 0o644
