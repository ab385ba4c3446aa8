"""Downloads scripts from the public places that the catalogue names, each file checked by its checksum."""

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
"""No page of a script is larger."""
_ATTEMPTS = 4
_SECONDS_A_FILE = 60.0
_TIMEOUT = httpx.Timeout(15.0)
_BUSY = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Catalogued:
    """A public place: its name and licence in words, and its files, paths under the address, with their checksums."""

    title: str
    address: str
    licence: str
    files: dict[str, str]


class _PassingError(Exception):
    """A failure that may well be over in a moment."""


def catalogue(folder: Traversable | None = None) -> dict[str, Catalogued]:
    """The places that charbot knows, by name."""
    folder = folder or resources.files("scripts_data")
    found = {}
    for name, entry in yaml.safe_load(folder.joinpath("sources.yaml").read_text("utf-8")).items():
        listed = folder.joinpath("checksums", f"{name}.sha256").read_text("utf-8")
        files = {path: digest for digest, _, path in (line.partition("  ") for line in listed.splitlines())}
        found[name] = Catalogued(entry["title"], entry["address"], entry["licence"], files)
    return found


def fetch(
    place: Catalogued,
    folder: Path,
    *,
    client: httpx.Client | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    wait: Callable[[float], None] = time.sleep,
) -> int:
    """Downloads the files of a place into `folder`; those that are there already stay. Returns how many came.

    What failed for the moment is tried again, later each time. Raises ScriptError, in words for
    people; what came before it stays, and the same call goes on from there.
    """
    client = client or httpx.Client(follow_redirects=True, max_redirects=5, timeout=_TIMEOUT)
    came = 0
    with client:
        for done, (path, digest) in enumerate(place.files.items()):
            progress(done, len(place.files))
            # Without the folder that the place keeps them all in.
            target = folder.joinpath(*PurePosixPath(path).parts[1:])
            if target.is_file() and sha256(target) == digest:
                continue
            data = _downloaded(client, place.address + path, digest, wait)
            try:
                replace_bytes(target, data)
            except OSError as error:
                raise ScriptError(f"{target}: cannot be written: {error.strerror or error}") from error
            came += 1
        progress(len(place.files), len(place.files))
    return came


def _downloaded(client: httpx.Client, address: str, digest: str, wait: Callable[[float], None]) -> bytes:
    """The file at an address, after as many attempts as it takes within reason."""
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
    """The body of one response, bounded in size and in time."""
    end = time.monotonic() + _SECONDS_A_FILE
    with client.stream("GET", address) as response:
        if response.status_code in _BUSY:
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
                raise _PassingError(f"it took longer than {_SECONDS_A_FILE:.0f} s")
        return bytes(data)
