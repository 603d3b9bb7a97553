"""Addresses lose what grants access, and nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsearch.settings.config import kept_settings, load_config
from simsearch.settings.secrets import hide_secrets, without_secrets

MARK = "S3CR3T"


@pytest.mark.parametrize(
    ("address", "left"),
    [
        (f"https://user:{MARK}@x.org:8443/a.jpg?w=5#p", "https://x.org:8443/a.jpg?w=5#p"),
        (f"https://{MARK}@x.org", "https://x.org"),
        (f"https://user:a/{MARK}@x.org/a.jpg", "https://x.org/a.jpg"),
        (f"https://u:{MARK}@[::1]:80/a", "https://[::1]:80/a"),
        (f"https://x.org/a.jpg?X-Amz-Signature={MARK}&X-Amz-Credential={MARK}", "https://x.org/a.jpg"),
        (f"https://x.org/a?id=5&token={MARK}&size=max", "https://x.org/a?id=5&size=max"),
        (f"https://x.org/a?sv=1&sig={MARK}&se=2", "https://x.org/a"),
        (f"https://x.org/a#access_token={MARK}&xywh=1", "https://x.org/a#xywh=1"),
        (f"ftp://user:{MARK}@x.org/a", "ftp://x.org/a"),
        ("https://x.org/@user/a@2x.jpg?page=1", "https://x.org/@user/a@2x.jpg?page=1"),
        ("s3://bucket/a@b.jpg?versionId=7", "s3://bucket/a@b.jpg?versionId=7"),
        ("file:///home/a@b/?key=c.jpg", "file:///home/a@b/?key=c.jpg"),
    ],
)  # fmt: skip
def test_only_what_grants_access_is_taken_away(address: str, left: str) -> None:
    assert without_secrets(address) == left
    assert hide_secrets(f"failed ({address}), twice: {address}: no") == (
        f"failed ({left}), twice: {left}: no"
    )


PARTS = st.text("abcXYZ019-_.~%", min_size=1, max_size=8)


@pytest.mark.slow
@given(PARTS, PARTS, st.lists(PARTS, max_size=3), st.booleans())
def test_an_address_stays_the_same_place(
    user: str, password: str, path: list[str], query: bool
) -> None:
    address = f"https://{user}:{password}@x.org:81/{'/'.join(path)}{'?id=1' if query else ''}"
    plain = without_secrets(address)
    before, after = urlsplit(address), urlsplit(plain)
    assert (after.hostname, after.port, after.path, after.query) == (
        before.hostname, before.port, before.path, before.query,
    )  # fmt: skip
    assert after.username is after.password is None
    assert without_secrets(plain) == plain


def test_kept_settings_have_no_secrets() -> None:
    config = load_config(
        None,
        [
            "catalog.reader=iiif",
            f"catalog.source='https://user:{MARK}@x.org/c.json?token={MARK}'",
            f"catalog.images='https://user:{MARK}@x.org/'",
        ],
    )
    kept = kept_settings(config)
    assert MARK not in str(kept)
    assert kept["catalog"]["source"] == "https://x.org/c.json"
