"""A real S3 server for the tests: Ceph's RADOS Gateway on loopback, its data in memory.

Ready in about a second. The three daemons are Debian's; nothing is installed or started here but
what a test session asks for.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import ProcessId, command_line, end, free_port

PROGRAMS = (
    "radosgw",
    "ceph-mon",
    "ceph-osd",
    "ceph",
    "ceph-authtool",
    "monmaptool",
    "radosgw-admin",
)
INSTALL = "apt-get install -y --no-install-recommends radosgw ceph-mon ceph-osd ceph-common"
ACCESS_KEY = "simsearch-tests"
SECRET_KEY = "only-for-tests-on-loopback"
READY_SECONDS = 200

_CONFIG = """
[global]
fsid={fsid}
mon_host=[v2:127.0.0.1:{mon_port}]
ms_bind_msgr1=false
public_addr=127.0.0.1
cluster_addr=127.0.0.1
keyring={folder}/keyring
run_dir={folder}
admin_socket={folder}/$name.asok
pid_file={folder}/$name.pid
log_file={folder}/$name.log
osd_pool_default_size=1
osd_pool_default_min_size=1
osd_pool_default_pg_num=1
osd_pool_default_pgp_num=1
osd_pool_default_pg_autoscale_mode=off
mon_allow_pool_size_one=true
osd_crush_chooseleaf_type=0
mon_data_avail_crit=1
# Eleven seconds to start without these two, one with them.
paxos_propose_interval=0.02
paxos_min_wait=0.01
[mon.a]
mon_data={folder}/mon
mon_cluster_log_file={folder}/cluster.log
[osd]
osd_data={folder}/osd
osd_objectstore=memstore
memstore_device_bytes=4294967296
[client.rgw]
rgw_frontends=beast endpoint={host}:{port}
"""


def missing_programs() -> list[str]:
    return [name for name in PROGRAMS if shutil.which(name) is None]


@dataclass(frozen=True)
class S3Server:
    """A running server; `endpoint` is its URL."""

    folder: Path
    port: int
    host: str = "127.0.0.1"

    @property
    def endpoint(self) -> str:
        return f"http://{self.host}:{self.port}"

    def add_key(self, access_key: str, secret_key: str) -> None:
        """Another key for the same buckets, beside the first."""
        keys = ("--access-key", access_key, "--secret-key", secret_key)
        config = str(self.folder / "ceph.conf")
        _run("radosgw-admin", "-c", config, "key", "create", "--uid", "tests", *keys)

    def remove_key(self, access_key: str) -> None:
        """Refuse a key from now on. The buckets stay."""
        config = str(self.folder / "ceph.conf")
        key = ("--access-key", access_key)
        _run("radosgw-admin", "-c", config, "key", "rm", "--uid", "tests", *key)

    def stop(self) -> None:
        """End the daemons, gateway first: the others wait for whoever still uses them."""
        for name in ("client.rgw", "osd.0", "mon.a"):
            file = self.folder / f"{name}.pid"
            if not file.exists():
                continue
            pid = int(file.read_text())
            daemon = ProcessId.of(pid)
            # A daemon that died leaves its file behind, and its number goes to somebody else.
            if daemon is not None and str(self.folder) in command_line(pid):
                end([daemon], seconds=5)


def start(folder: Path, *, host: str = "127.0.0.1") -> S3Server:
    """Start a server with its files in `folder`. Raises RuntimeError with what went wrong."""
    (folder / "mon").mkdir(parents=True)
    (folder / "osd").mkdir()
    server = S3Server(folder, free_port(), host)
    fsid, osd, config = str(uuid.uuid4()), str(uuid.uuid4()), folder / "ceph.conf"
    mon_port = free_port()
    config.write_text(
        _CONFIG.format(fsid=fsid, folder=folder, host=host, port=server.port, mon_port=mon_port)
    )
    keyring, monmap = str(folder / "keyring"), str(folder / "monmap")
    _run("ceph-authtool", "-C", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
    for name, mon in (
        ("client.admin", "allow *"),
        ("client.rgw", "allow *"),
        ("osd.0", "allow profile osd"),
    ):
        _run(
            "ceph-authtool",
            keyring,
            "--gen-key",
            "-n",
            name,
            "--cap",
            "mon",
            mon,
            "--cap",
            "osd",
            "allow *",
        )
    address = f"[v2:127.0.0.1:{mon_port}]"
    _run(
        "monmaptool",
        "--create",
        "--fsid",
        fsid,
        "--set-min-mon-release",
        "pacific",
        "--addv",
        "a",
        address,
        monmap,
    )
    conf = ("-c", str(config))
    _run("ceph-mon", *conf, "-i", "a", "--mkfs", "--monmap", monmap, "--keyring", keyring)
    _run("ceph-mon", *conf, "-i", "a")
    _run("ceph", *conf, "auth", "import", "-i", keyring)
    _run("ceph", *conf, "osd", "new", osd)
    _run("ceph-osd", *conf, "-i", "0", "--mkfs", "--osd-uuid", osd)
    _run("ceph-osd", *conf, "-i", "0")
    _run("radosgw", *conf, "-n", "client.rgw")
    keys = ("--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY)
    _run(
        "radosgw-admin", *conf, "user", "create", "--uid", "tests", "--display-name", "tests", *keys
    )
    _wait_for(server)
    return server


def _run(*command: str) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=READY_SECONDS, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip()[-2000:]}"
        )


def _wait_for(server: S3Server) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex((server.host, server.port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(
        f"the S3 server did not answer on {server.endpoint}; see {server.folder}/*.log"
    )
