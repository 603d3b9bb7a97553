"""Shared by the tests: a real S3 server, a Ray session, real paintings."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from simsearch.settings.sections.operation import StorageConfig
from simsearch.storage.storage import make_folder
from tests.support import memory, rays, s3_server
from tests.support.places import SHARED, Place

# What a law says does not depend on the machine: a busy one takes longer than hypothesis allows. In CI
# the examples are the same each time, so that a change is judged by what it changes; elsewhere they are new.
hypothesis.settings.register_profile(
    "simsearch", deadline=None, derandomize=bool(os.environ.get("CI"))
)
hypothesis.settings.register_profile("drill", deadline=None, max_examples=10_000)
hypothesis.settings.load_profile("simsearch")

memory.set_up_malloc()

# Who asks for one of these fixtures needs what the marker stands for. A test that starts Ray or a
# browser itself says so with a marker of its own.
MARKERS = {
    "ray": {"ray_local", "cluster"},
    "s3": {"s3", "s3_place"},
    "browser": {"browser"},
}

_with_shared_ray: set[Path] = set()  # files that ask for `ray_local`


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        callspec = getattr(item, "callspec", None)
        if callspec is not None and callspec.params.get("place") == "s3":
            fixtures.add("s3_place")
        for marker, names in MARKERS.items():
            if fixtures & names:
                item.add_marker(marker)
    # Two processes take file after file. Those with Ray are the longest: the others fill the end. Those
    # that share the process's Ray stand together, as a start takes 20 seconds of a CPU.
    with_ray = {item.path for item in items if item.get_closest_marker("ray")}
    _with_shared_ray.update(
        item.path for item in items if "ray_local" in getattr(item, "fixturenames", ())
    )
    with_own = with_ray - _with_shared_ray
    items.sort(key=lambda item: 2 - (item.path in with_ray) - (item.path in with_own))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Iterator[None]:
    of_a_fixture = rays.is_up()
    try:
        yield
    finally:
        if rays.is_up() and not of_a_fixture:
            rays.shut_down()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    yield  # fixtures are let go first
    module_ends = nextitem is None or nextitem.path != item.path
    ray_ends = nextitem is None or nextitem.path not in _with_shared_ray
    if module_ends and rays.is_up() and ray_ends:
        rays.shut_down()
    memory.give_back_growth(module_ends=module_ends)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[s3_server.S3Server]:
    """A real S3 server for the whole session."""
    if missing := s3_server.missing_programs():
        reason = f"no {', '.join(missing)}; to run these tests: {s3_server.INSTALL}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    server = s3_server.start(tmp_path_factory.mktemp("s3"))
    yield server
    server.stop()


@pytest.fixture(scope="session", autouse=True)
def credentials() -> Iterator[None]:
    """The S3 server's keys in the environment, before Ray's processes inherit it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", s3_server.ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.SECRET_KEY)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        yield


@pytest.fixture
def s3_place(s3: s3_server.S3Server) -> Place:
    """A new bucket on the S3 server."""
    place = Place(
        f"s3://tests-{uuid.uuid4().hex[:12]}",
        StorageConfig(endpoint_url=s3.endpoint, attempts=3, timeout=10),
    )
    make_folder(place.root, place.config)
    return place


@pytest.fixture(params=["local", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """The same test on local disk and on the S3 server."""
    if request.param == "local":
        return Place(str(tmp_path / "root"), StorageConfig())
    place: Place = request.getfixturevalue("s3_place")
    return place


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Ray and caches write into folders of this session, not into the user's."""
    with (
        # Not pytest's own folder: a path of a socket has to stay below 107 characters.
        tempfile.TemporaryDirectory(prefix="rays-", ignore_cleanup_errors=True) as rays,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("RAY_TMPDIR", rays)
        patch.delenv("RAY_ADDRESS", raising=False)  # no test may run on somebody's cluster
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.delenv("TORCH_HOME", raising=False)
        yield


@pytest.fixture(scope="module")
def ray_local() -> None:
    """Ray inside the test process, on two logical CPUs. The next module that asks for it gets the same."""
    from simsearch.runtime.ray_session import start_ray

    if not rays.is_up():
        start_ray(num_cpus=2, object_store_memory=500 * 2**20)


@pytest.fixture(scope="session")
def paintings() -> Path:
    """The folder of real paintings: artworks.csv and images/."""
    folder = SHARED / "paintings"
    if not (folder / "artworks.csv").exists():
        pytest.skip(f"no real paintings at {folder}")
    return folder


@pytest.fixture(scope="session")
def real_weights() -> Path:
    """The folder of real ImageNet weights of two small networks."""
    folder = SHARED / "weights"
    if not folder.exists():
        pytest.skip(f"no real weights at {folder}")
    return folder
