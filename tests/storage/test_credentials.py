"""Keys that are changed, and tokens that expire, while a run uses them: one line at once, nothing lost."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from simsearch.errors import StorageError
from simsearch.storage.storage import Storage
from tests.drills.proxy import FaultyProxy, faulty_proxy
from tests.support.places import Place
from tests.support.s3_server import ACCESS_KEY, SECRET_KEY, S3Server

WORDS = {
    "expired": "the session token has expired; renew the credentials|bad request; if the credentials",
    "rotated": "the store does not know this access key; check AWS_ACCESS_KEY_ID|access denied; check",
    "skewed": "clock and the store's differ; set the clock|access denied; check the credentials",
}
REQUESTS: dict[str, Callable[[Storage], object]] = {
    "read": lambda storage: storage.read_bytes("a"),
    "read with its version": lambda storage: storage.read_versioned("a"),
    "look up": lambda storage: storage.exists("a"),
    "list": lambda storage: storage.files(),
    "write": lambda storage: storage.write_bytes("b", b"b"),
    "swap": lambda storage: storage.replace("b", b"b", None),
    "delete": lambda storage: storage.delete("a"),
    "digest": lambda storage: storage.digest("a"),
}


@pytest.fixture
def proxied(s3_place: Place) -> Iterator[tuple[Storage, FaultyProxy]]:
    assert s3_place.config.endpoint_url is not None
    with faulty_proxy(s3_place.config.endpoint_url, 1) as proxy:
        config = s3_place.config.model_copy(update={"endpoint_url": proxy.endpoint})
        storage = Storage(s3_place.root, config)
        storage.write_bytes("a", b"a")
        yield storage, proxy


@pytest.mark.parametrize("kind", WORDS)
def test_refused_credentials_are_one_line_at_once(
    proxied: tuple[Storage, FaultyProxy], kind: str
) -> None:
    storage, proxy = proxied
    for name, request in REQUESTS.items():
        proxy.inject(kind, 1.0)
        with pytest.raises(StorageError, match=WORDS[kind]) as raised:
            request(storage)
        assert "run the same command again" in str(raised.value), name
        assert "\n" not in str(raised.value)
        assert proxy.injected.total() <= 2, name  # s3fs itself asks twice for some
    proxy.inject(None, 0)
    assert storage.read_bytes("a") == b"a"
    assert not storage.exists("b")


def test_keys_that_their_provider_renews_are_taken_up_in_mid_run(
    s3: S3Server, s3_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = tmp_path / "keys.json"

    def provide(access_key: str, secret_key: str) -> None:
        expires = datetime.now(UTC) + timedelta(minutes=1)
        provided = {
            "Version": 1,
            "AccessKeyId": access_key,
            "SecretAccessKey": secret_key,
            "Expiration": expires.isoformat(),
        }
        keys.write_text(json.dumps(provided))

    (tmp_path / "config").write_text(f"[default]\ncredential_process = cat {keys}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    s3.add_key("renewed", "renewed-only-for-tests")
    assert s3_place.config.endpoint_url is not None
    with faulty_proxy(s3_place.config.endpoint_url, 1) as proxy:
        config = s3_place.config.model_copy(update={"endpoint_url": proxy.endpoint})
        storage = Storage(s3_place.root, config)
        provide(ACCESS_KEY, SECRET_KEY)
        storage.write_bytes("a", b"a")
        proxy.refused_key = ACCESS_KEY
        with pytest.raises(StorageError, match="the store does not know this access key"):
            storage.read_bytes("a")
        provide("renewed", "renewed-only-for-tests")
        assert storage.read_bytes("a") == b"a"
        storage.write_bytes("b", b"b")
        assert len(storage.files()) == 2


@pytest.mark.slow
def test_keys_that_change_in_their_file_or_environment_are_taken_up(
    s3: S3Server, s3_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("aws_access_key_id", "aws_secret_access_key")
    credentials = tmp_path / "credentials"

    def write_keys(*keys: str) -> None:
        lines = [f"{name} = {key}\n" for name, key in zip(names, keys, strict=True)]
        credentials.write_text("[default]\n" + "".join(lines))
        os.utime(credentials, (1e9, 1e9 + len(keys[0])))  # written long ago, not just now

    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    for name in names:
        monkeypatch.delenv(name.upper())
    # A timeout of its own: no client has used the session's own keys with it.
    storage = Storage(s3_place.root, s3_place.config.model_copy(update={"timeout": 12}))
    s3.add_key("first-of-two", "first-only-for-tests")
    s3.add_key("second-of-two", "second-only-for-tests")
    s3.add_key("of-environment", "third-only-for-tests")
    write_keys("first-of-two", "first-only-for-tests")
    storage.write_bytes("a", b"a")
    s3.remove_key("first-of-two")
    with pytest.raises(StorageError, match=r"does not know this access key|access denied; check"):
        storage.read_bytes("a")
    write_keys("second-of-two", "second-only-for-tests")
    assert storage.read_bytes("a") == b"a"
    assert storage.exists("a")
    s3.remove_key("second-of-two")
    for name, value in zip(names, ("of-environment", "third-only-for-tests"), strict=True):
        monkeypatch.setenv(name.upper(), value)
    assert storage.read_bytes("a") == b"a"


def test_a_store_that_asks_to_slow_down_is_asked_again(
    proxied: tuple[Storage, FaultyProxy],
) -> None:
    storage, proxy = proxied
    storage = Storage(storage.root, storage.config.model_copy(update={"attempts": 8}))
    proxy.inject("503", 0.3)
    for number in range(20):
        storage.write_bytes(f"many/{number:02}", str(number).encode())
    assert proxy.injected["503"] > 0
    assert [int(storage.read_bytes(f"many/{number:02}")) for number in range(20)] == [*range(20)]
