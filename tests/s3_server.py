"""A local S3-compatible server for tests, by moto, with its data in memory."""

import contextlib
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

START_TIMEOUT_S = 60


def program() -> str | None:
    """Path of moto's server; None if it is not installed."""
    return shutil.which("moto_server", path=str(Path(sys.executable).parent)) or shutil.which("moto_server")


@contextlib.contextmanager
def serving() -> Iterator[dict[str, str]]:
    """Starts the server and yields the environment variables with which `s3://` uses it; stops it at the end."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [str(program()), "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        end_s = time.monotonic() + START_TIMEOUT_S
        while not _is_listening(port):
            assert process.poll() is None and time.monotonic() < end_s, "moto_server does not start"
            time.sleep(0.1)
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
    finally:
        process.kill()
        process.wait()


def _is_listening(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def bucket(environment: dict[str, str], name: str) -> Any:
    """Creates a bucket and returns a pyarrow file system for it, independent of the code under test."""
    import pyarrow.fs

    host = environment["AWS_ENDPOINT_URL"].removeprefix("http://")
    keys = {"access_key": environment["AWS_ACCESS_KEY_ID"], "secret_key": environment["AWS_SECRET_ACCESS_KEY"]}
    system = pyarrow.fs.S3FileSystem(
        endpoint_override=host,
        scheme="http",
        region="us-east-1",
        allow_bucket_creation=True,
        allow_delayed_open=True,
        **keys,
    )
    system.create_dir(name)
    return system
