"""Download scripts from the public sources in the catalogue and verify their checksums."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

import httpx
import yaml

from charbot.errors import ScriptError
from charbot.storage import replace_bytes, sha256

MAX_BYTES = 5_000_000
"""Size limit of a download; no script's page is larger."""
_ATTEMPTS = 4
_MAX_SECONDS = 60.0
_TIMEOUT = httpx.Timeout(15.0)
_TEMPORARY_STATUSES = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Catalogued:
    """A public source of scripts."""

    title: str
    address: str
    """The URL that the paths in `files` are appended to."""
    licence: str
    """Free text."""
    files: dict[str, str]
    """SHA-256 checksums by path."""


class _PassingError(Exception):
    """A temporary failure, worth another attempt."""


def catalogue(folder: Traversable | None = None) -> dict[str, Catalogued]:
    """Return the sources that charbot knows, by name."""
    folder = folder or resources.files("scripts_data")
    sources = {}
    for name, entry in yaml.safe_load(folder.joinpath("sources.yaml").read_text("utf-8")).items():
        listed = folder.joinpath("checksums", f"{name}.sha256").read_text("utf-8")
        files = {path: digest for digest, _, path in (line.partition("  ") for line in listed.splitlines())}
        sources[name] = Catalogued(entry["title"], entry["address"], entry["licence"], files)
    return sources


def fetch(
    place: Catalogued,
    folder: Path,
    *,
    client: httpx.Client | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    wait: Callable[[float], None] = time.sleep,
) -> int:
    """Download the missing files of a source into `folder` and return their number.

    Temporary failures are retried with growing delays. Raises ScriptError, with a message for users; files that arrived
    before it stay, and the same call continues from there.
    """
    client = client or httpx.Client(follow_redirects=True, max_redirects=5, timeout=_TIMEOUT)
    count = 0
    with client:
        for done, (path, digest) in enumerate(place.files.items()):
            progress(done, len(place.files))
            # Drop the top-level folder that holds all files of the source.
            target = folder.joinpath(*PurePosixPath(path).parts[1:])
            if target.is_file() and sha256(target) == digest:
                continue
            data = _downloaded(client, place.address + path, digest, wait)
            try:
                replace_bytes(target, data)
            except OSError as error:
                raise ScriptError(f"{target}: cannot be written: {error.strerror or error}") from error
            count += 1
        progress(len(place.files), len(place.files))
    return count


def _downloaded(client: httpx.Client, address: str, digest: str, wait: Callable[[float], None]) -> bytes:
    """Return the file at `address`, retrying temporary failures.

    Raises ScriptError, also where the checksum differs.
    """
    for attempt in range(_ATTEMPTS):
        if attempt:
            wait(0.5 * 2**attempt)
        try:
            data = _received(client, address)
        except (_PassingError, httpx.TransportError) as error:
            problem = error
            continue
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ScriptError(f"{address}: cannot be downloaded: {error}") from error
        if hashlib.sha256(data).hexdigest() != digest:
            raise ScriptError(
                f"{address}: is not what the catalogue says it is (its checksum differs). It may have been edited since; "
                "download it yourself if you trust it."
            )
        return data
    reason = str(problem) or type(problem).__name__
    raise ScriptError(
        f"{address}: cannot be downloaded ({reason}). Are you online? The same command goes on from here."
    ) from problem


def _received(client: httpx.Client, address: str) -> bytes:
    """Return the body of one response, limited in size and time.

    Raises _PassingError for temporary failures, ScriptError or httpx.HTTPError for others.
    """
    end = time.monotonic() + _MAX_SECONDS
    with client.stream("GET", address) as response:
        if response.status_code in _TEMPORARY_STATUSES:
            raise _PassingError(f"the server answers {response.status_code}")
        if response.status_code != httpx.codes.OK:
            raise ScriptError(f"{address}: the server answers {response.status_code} {response.reason_phrase}")
        if httpx.URL(address).scheme == "https" != response.url.scheme:
            raise ScriptError(f"{address}: leads to {response.url}, which is not safe")
        data = bytearray()
        for chunk in response.iter_bytes():
            data += chunk
            if len(data) > MAX_BYTES:
                raise ScriptError(f"{address}: is larger than {MAX_BYTES // 1_000_000} MB; that is no script")
            if time.monotonic() > end:
                raise _PassingError(f"it took longer than {_MAX_SECONDS:.0f} s")
        return bytes(data)
