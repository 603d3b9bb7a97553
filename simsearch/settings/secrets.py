"""Web addresses without their secrets: a user with a password, a token, a signature.

A request is sent with the whole address. Files, logs and pages have the address without its secrets.
"""

from __future__ import annotations

import hashlib
import re

_SCHEME = re.compile(r"(?:https?|s?ftps?)://", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:https?|s?ftps?)://[^\s\"<>]*[^\s\"<>.,:;!?)\]}']", re.IGNORECASE)
_PORT = re.compile(r"[^:]*|\[[^\]]*\](?::\d*)?|[^:]*:\d*")
_SIGNED = ("x-amz-", "x-goog-", "x-oss-", "x-cos-")  # begin the parameters of signed addresses
_SECRETS = frozenset(
    """signature sig hmac hdnea hdnts policy key-pair-id awsaccesskeyid googleaccessid ossaccesskeyid
    expires se sp sv sr st spr sip ske sks skt skv skoid sktid
    token access_token accesstoken auth_token authtoken id_token refresh_token jwt auth authorization
    bearer credential credentials api_key apikey api-key api_token apitoken wskey key secret
    client_secret app_key appkey password passwd pwd pass user username login session sessionid sid""".split()  # noqa: SIM905
)


def without_secrets(address: str) -> str:
    """The address without user and password, and without query parameters that grant access.

    Addresses that are neither of the web nor of FTP come back as they are. A malformed address loses
    everything before its last "@".
    """
    match = _SCHEME.match(address)
    if match is None:
        return address
    scheme, rest = match.group(), address[match.end() :]
    place = re.search(r"[/?#\\]", rest)
    host, rest = (rest, "") if place is None else (rest[: place.start()], rest[place.start() :])
    if "@" not in host and "@" in rest and not _PORT.fullmatch(host):
        # A password that contains a slash: the part that looks like the host is the user.
        host, rest = rest.rpartition("@")[2], ""
    host = host.rpartition("@")[2]
    path, query_mark, query = rest.partition("?")
    query, fragment_mark, fragment = query.partition("#")
    if not query_mark:
        path, fragment_mark, fragment = rest.partition("#")
    query, fragment = _open_parameters(query), _open_parameters(fragment)
    return "".join(
        (scheme, host, path)
        + ((query_mark, query) if query else ())
        + ((fragment_mark, fragment) if fragment else ())
    )


def distinct_without_secrets(address: str) -> str:
    """The address `without_secrets`. If it loses anything, a digest of the whole address is added, so that
    two addresses never become one: `?key=12` and `?key=13` may be two documents."""
    shown = without_secrets(address)
    if shown == address:
        return address
    return f"{shown}#{hashlib.sha256(address.encode(errors='replace')).hexdigest()[:12]}"


def hide_secrets(text: str) -> str:
    """The text with every address in it `without_secrets`."""
    return _ADDRESS.sub(lambda match: without_secrets(match.group()), text)


def _open_parameters(query: str) -> str:
    return "&".join(part for part in query.split("&") if not _is_secret(part.partition("=")[0]))


def _is_secret(name: str) -> bool:
    name = name.casefold()
    return name in _SECRETS or name.startswith(_SIGNED)
