"""Failures of a store: which requests are tried again, and the message in the end."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, TypeVar

import botocore.exceptions
import tenacity

from simsearch.errors import NotFoundError, StorageError
from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.regular import NotRegularError

_T = TypeVar("_T")

_AGAIN = "then run the same command again, which keeps what is stored"
# Errors that another try would not change.
_REFUSED = {
    "AccessDenied": "access denied; check the credentials' permissions",
    "InvalidAccessKeyId": f"the store does not know this access key; check AWS_ACCESS_KEY_ID or AWS_PROFILE, {_AGAIN}",
    "SignatureDoesNotMatch": "wrong secret key; check AWS_SECRET_ACCESS_KEY or AWS_PROFILE",
    "ExpiredToken": f"the session token has expired; renew the credentials, {_AGAIN}",
    "TokenRefreshRequired": f"the session token has expired; renew the credentials, {_AGAIN}",
    "InvalidToken": f"the store does not know this session token; renew the credentials, {_AGAIN}",
    "RequestTimeTooSkewed": f"this machine's clock and the store's differ; set the clock, {_AGAIN}",
    "NoSuchBucket": "no such bucket; create it or correct the URI",
    "QuotaExceeded": "the store's quota is used up; raise it or free some space, then run the same command again",
    # Answers to HEAD have no body, and so no other code.
    "400": f"bad request; if the credentials are for a time only, renew them, {_AGAIN}",
    "403": f"access denied; check the credentials and their permissions, {_AGAIN}",
}

NO_SUCH_RANGE = {"InvalidRange", "416"}

_CONFLICTS = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}

_FATAL_ERRNOS = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EROFS,
    errno.EACCES,
    errno.EPERM,
    errno.ENOTDIR,
    errno.EISDIR,
}


def _store_errors() -> tuple[type[Exception], ...]:
    """The types of a store's errors. s3fs imports aiohttp, which takes a tenth of a second; without s3fs
    there are no errors of aiohttp."""
    boto = (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError)
    web = getattr(
        sys.modules.get("aiohttp"), "ClientError", None
    )  # None while it is being imported
    return (OSError, *boto, web) if web else (OSError, *boto)


def _retrying(config: StorageConfig, call: Callable[[], _T]) -> _T:
    return tenacity.Retrying(
        stop=tenacity.stop_after_attempt(config.attempts),
        wait=tenacity.wait_exponential_jitter(multiplier=0.2, max=20),
        retry=tenacity.retry_if_exception(_worth_another_try),
        reraise=True,
    )(call)


def _worth_another_try(error: BaseException) -> bool:
    if isinstance(
        error,
        FileNotFoundError
        | PermissionError
        | FileExistsError
        | NotRegularError
        | botocore.exceptions.NoCredentialsError,
    ):
        return False
    if isinstance(error, OSError) and error.errno in _FATAL_ERRNOS:
        return False
    if isinstance(error, botocore.exceptions.ClientError) or isinstance(
        error.__cause__, botocore.exceptions.ClientError
    ):
        return _error_code(error) not in {*_REFUSED, *NO_SUCH_RANGE}
    return isinstance(error, _store_errors())


def _error_code(error: BaseException) -> str:
    cause = error if isinstance(error, botocore.exceptions.ClientError) else error.__cause__
    return (
        str(cause.response["Error"]["Code"])
        if isinstance(cause, botocore.exceptions.ClientError)
        else ""
    )


@contextmanager
def _errors(uri: str, action: str) -> Iterator[None]:
    """Turn an error of the file system within the block into a StorageError of one line that names the
    URI and the action."""
    try:
        yield
    except _store_errors() as error:
        _raise_plainly(error, uri, action)


def _raise_plainly(error: BaseException, uri: str, action: str) -> NoReturn:
    if refusal := _REFUSED.get(_error_code(error)):
        raise StorageError(f"{uri}: cannot {action}: {refusal}") from error
    if isinstance(error, FileNotFoundError):
        raise NotFoundError(
            f"{uri}: nothing there; check the path and that the bucket or folder exists"
        ) from error
    if isinstance(error, botocore.exceptions.NoCredentialsError):
        raise StorageError(
            f"{uri}: cannot {action}: no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
        ) from error
    if isinstance(error, NotRegularError):
        raise StorageError(
            f"{uri}: cannot {action}: it is {error}; remove it or name another file"
        ) from error
    if isinstance(error, PermissionError):
        raise StorageError(
            f"{uri}: cannot {action}: permission denied; check its owner and mode"
        ) from error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise StorageError(
            f"{uri}: cannot {action}: the disk is full; free some space and run the same command again"
        ) from error
    if isinstance(error, OSError) and error.errno in (errno.ENOTDIR, errno.EEXIST):
        raise StorageError(
            f"{uri}: cannot {action}: a file is where a folder should be; remove it or choose another place"
        ) from error
    detail = " ".join(str(error).split()) or type(error).__name__
    raise StorageError(
        f"{uri}: cannot {action}: {detail}; check the store and run the same command again"
    ) from error
