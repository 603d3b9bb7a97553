"""The errors that a user can act on.

SimsearchError                 the run failed                         exit code 1
├── UsageError                 a request that makes no sense          exit code 2
│   ├── ConfigError            a setting is unknown, wrong or impossible
│   └── UnknownNameError       no backbone, profile or reader of that name
├── StorageError               a place cannot be read or written
│   ├── NotFoundError          nothing there
│   │   └── GoneError          a snapshot that was removed
│   ├── DamagedError           a stored file is not what was written
│   └── ConflictError          changed by another process between reading and writing
├── LeaseError                 another run is writing here, or has taken over from this one
├── GuardError                 a snapshot is so much worse than the last that it is not published
├── CatalogError               a collection's metadata cannot be read
├── WeightsError               a network's weights cannot be had, or belong to another network
├── TrainingError              too little to learn from, or a loss that diverged
├── NodeError                  a node of the cluster has other code, or does not see the same files
├── MismatchError              an artefact does not match its manifest
├── RejectsError               more images were rejected than the run allows
├── IncompleteError            rows in ≠ rows out + rejects
└── StallError                 no progress for too long

Each message is one line: what is wrong with which file or setting, then what to do.
"""

from collections.abc import Iterable


class SimsearchError(Exception):
    exit_code = 1


class UsageError(SimsearchError):
    exit_code = 2


class ConfigError(UsageError):
    pass


class UnknownNameError(UsageError):
    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, sorted(known)
        super().__init__(f"no {kind} named {name!r}; known: {', '.join(self.known)}")

    def __reduce__(self) -> tuple[type, tuple[str, str, list[str]]]:
        # Ray carries exceptions across processes by pickling their arguments.
        return type(self), (self.kind, self.name, self.known)


class StorageError(SimsearchError):
    pass


class NotFoundError(StorageError):
    pass


class GoneError(NotFoundError):
    pass


class DamagedError(StorageError):
    """`root` is a URI, `path` the damaged file's below it, `problem` what is wrong with it."""

    def __init__(
        self, root: str, path: str, problem: str, advice: str = "remove it and run again"
    ) -> None:
        self.root, self.path, self.problem, self.advice = root, path, problem, advice
        super().__init__(f"{root.rstrip('/')}/{path}: {problem}; {advice}")

    def __reduce__(self) -> tuple[type, tuple[str, str, str, str]]:
        return type(self), (self.root, self.path, self.problem, self.advice)


class ConflictError(StorageError):
    pass


class LeaseError(SimsearchError):
    pass


class GuardError(SimsearchError):
    pass


class CatalogError(SimsearchError):
    pass


class WeightsError(SimsearchError):
    pass


class TrainingError(SimsearchError):
    pass


class NodeError(SimsearchError):
    pass


class MismatchError(SimsearchError):
    pass


class RejectsError(SimsearchError):
    pass


class IncompleteError(SimsearchError):
    pass


class StallError(SimsearchError):
    pass
