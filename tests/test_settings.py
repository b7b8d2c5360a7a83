"""Settings: where they come from, and every single thing that production refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workreef_app.settings import ConfigurationError, Environment, Settings, load, production_faults

SOUND: dict[str, Any] = {
    "env": "production",
    "public_url": "https://workreef.acme.test",
    "database_url": "postgresql://app:q7Rk2vX9@db.acme.test/workreef?sslmode=verify-full",
    "redis_url": "rediss://redis.acme.test:6379/0",
    "secret_key": "t5Kq9Zr2Xw8Lm4Np7Vb1Yc6Hd3Gf0Js5",
    "platform_key": "aws-kms:eu-central-1/1234",
}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"WORKREEF_{name.upper()}", raising=False)


def checks(tmp_path: Path, **changes: Any) -> list[str]:
    settings = load(data_dir=tmp_path, **{**SOUND, **changes})
    return [fault.check for fault in production_faults(settings)]


@pytest.mark.parametrize("value", ["", "prod", "staging", "Development!", "None", "demo2"])
def test_an_unknown_environment_is_production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("WORKREEF_ENV", value)
    assert load(data_dir=tmp_path).production


def test_an_unset_environment_is_production(tmp_path: Path) -> None:
    assert load(data_dir=tmp_path).env is Environment.PRODUCTION


@pytest.mark.parametrize(("value", "env"), [("demo", "demo"), (" Development ", "development"), ("DEMO", "demo")])
def test_a_known_environment_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, env: str) -> None:
    monkeypatch.setenv("WORKREEF_ENV", value)
    assert load(data_dir=tmp_path).env == env
    assert production_faults(load(data_dir=tmp_path)) == []


def test_a_sound_production_configuration_has_no_fault(tmp_path: Path) -> None:
    assert checks(tmp_path) == []


def test_with_a_key_file_the_local_key_is_the_only_fault_left(tmp_path: Path) -> None:
    assert checks(tmp_path, platform_key="local:platform") == ["platform_key"]


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"secret_key": ""}, "secret_key"),
        ({"secret_key": "t5Kq9Zr2Xw8Lm4Np7Vb1Yc6Hd3Gf0Js"}, "secret_key"),
        ({"secret_key": "a" * 64}, "secret_key"),
        ({"secret_key": "ChangeMe-t5Kq9Zr2Xw8Lm4Np7Vb1Yc6Hd3"}, "secret_key"),
        ({"public_url": "http://workreef.acme.test"}, "public_url"),
        ({"public_url": "http://localhost:3000"}, "public_url"),
        ({"database_url": ""}, "database_url"),
        ({"database_url": "postgresql://app:q7Rk2vX9@db.acme.test/workreef"}, "database_tls"),
        ({"database_url": "postgresql://app:q7Rk2vX9@db.acme.test/w?sslmode=prefer"}, "database_tls"),
        ({"database_url": "postgresql://app:q7Rk2vX9@db.acme.test/w?sslmode=disable"}, "database_tls"),
        ({"database_url": "postgresql://app:q7Rk2vX9@/w?host=db.acme.test"}, "database_tls"),
        ({"database_url": "postgresql://app:q7Rk2vX9@localhost,db.acme.test/w"}, "database_tls"),
        ({"database_url": "postgresql://app:postgres@localhost/w"}, "database_password"),
        ({"database_url": "postgresql://app:Password@db.acme.test/w?sslmode=require"}, "database_password"),
        ({"redis_url": "redis://redis.acme.test:6379/0"}, "redis_tls"),
        ({"platform_key": "local:other"}, "platform_key"),
        ({"smtp_url": "smtp://mail.acme.test", "mail_from": "w@acme.test"}, "smtp_tls"),
        ({"smtp_url": "smtps://mail.acme.test", "mail_from": ""}, "mail_from"),
    ],
)
def test_each_fault_is_refused_alone(tmp_path: Path, changes: dict[str, str], check: str) -> None:
    assert checks(tmp_path, **changes) == [check]


@pytest.mark.parametrize(
    "changes",
    [
        {"database_url": "postgresql://app:q7Rk2vX9@localhost/w"},
        {"database_url": "postgresql://app:q7Rk2vX9@[::1]:5432/w"},
        {"database_url": "postgresql://app:q7Rk2vX9@/w?host=/run/postgresql"},
        {"database_url": "postgresql://app:q7Rk2vX9@db.acme.test/w?sslmode=require"},
        {"redis_url": ""},
        {"redis_url": "redis://127.0.0.1:6379/0"},
        {"smtp_url": "smtp://localhost:25", "mail_from": "w@acme.test"},
        {"smtp_url": "smtps://u:p@mail.acme.test", "mail_from": "w@acme.test"},
        {"smtp_url": "smtp+starttls://mail.acme.test:587", "mail_from": "w@acme.test"},
        {"smtp_url": "", "mail_from": ""},
    ],
)
def test_what_stays_on_the_host_or_is_encrypted_is_accepted(tmp_path: Path, changes: dict[str, str]) -> None:
    assert checks(tmp_path, **changes) == []


def test_all_faults_are_reported_together_each_with_its_cure(tmp_path: Path) -> None:
    settings = load(
        data_dir=tmp_path, env="production", secret_key="short", public_url="http://a.test",
        database_url="", redis_url="redis://r.test", platform_key="local:platform",
    )
    faults = production_faults(settings)
    assert [f.check for f in faults] == ["secret_key", "public_url", "database_url", "redis_tls", "platform_key"]
    assert all(f.wrong.endswith(".") and f.cure.endswith(".") and len(f.cure) > 15 for f in faults)
    assert "short" not in " ".join(f.wrong + f.cure for f in faults if f.check != "secret_key")


def test_the_file_lies_beneath_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "workreef.env").write_text("WORKREEF_ENV=demo\nWORKREEF_PORT=4001\nOTHER=1\n")
    assert (load(data_dir=tmp_path).env, load(data_dir=tmp_path).port) == ("demo", 4001)
    monkeypatch.setenv("WORKREEF_PORT", "4002")
    assert (load(data_dir=tmp_path).env, load(data_dir=tmp_path).port) == ("demo", 4002)


def test_the_data_directory_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "workreef.env").write_text("WORKREEF_PORT=4001\n")
    monkeypatch.setenv("WORKREEF_DATA_DIR", str(tmp_path))
    settings = load()
    assert (settings.data_dir, settings.port, settings.keys_dir) == (tmp_path, 4001, tmp_path / "keys")


def test_what_cannot_be_read_is_named_in_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKREEF_PORT", "99999")
    monkeypatch.setenv("WORKREEF_PUBLIC_URL", "workreef")
    with pytest.raises(ConfigurationError, match=r"WORKREEF_PUBLIC_URL.*WORKREEF_PORT.*start again\."):
        load(data_dir=tmp_path)


@pytest.mark.parametrize(("name", "value"), [
    ("SMTP_URL", "http://mail.acme.test"), ("SMTP_URL", "mail.acme.test:25"), ("SMTP_URL", "smtps://"),
    ("SMTP_URL", "smtps://a:99999"), ("MAIL_FROM", "nobody"), ("MAIL_FROM", "a@b\nc"), ("MAIL_FROM", "A <a@b.test>"),
])
def test_what_is_no_mail_server_or_no_address_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"WORKREEF_{name}", value)
    with pytest.raises(ConfigurationError, match=f"WORKREEF_{name}: "):
        load(data_dir=tmp_path)


def test_the_password_of_the_mail_server_is_not_shown(tmp_path: Path) -> None:
    assert "s3cret" not in repr(load(data_dir=tmp_path, smtp_url="smtps://me:s3cret@mail.acme.test"))


def test_no_secret_is_shown(tmp_path: Path) -> None:
    assert SOUND["secret_key"] not in repr(load(data_dir=tmp_path, **SOUND))


def test_addresses_of_tenants(tmp_path: Path) -> None:
    local = load(data_dir=tmp_path, public_url="http://localhost:3000/")
    assert (local.public_host, local.tenant_url("health")) == ("localhost", "http://health.localhost:3000")
    assert load(data_dir=tmp_path, **SOUND).tenant_url("health") == "https://health.workreef.acme.test"


def test_proxies_are_a_list(tmp_path: Path) -> None:
    assert load(data_dir=tmp_path, trusted_proxies=" 10.0.0.1, 10.0.0.2 ,").proxies == {"10.0.0.1", "10.0.0.2"}
    assert load(data_dir=tmp_path).proxies == frozenset()
