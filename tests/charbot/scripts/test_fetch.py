import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from charbot.errors import ScriptError
from charbot.scripts import fetch as fetch_module
from charbot.scripts.fetch import Catalogued, catalogue, fetch

PAGE = b"NED\nHello.\nOLGA\nBye.\n" * 50
Answer = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """A real server on loopback that answers as it is told; each address's answers come in turn, the last for ever."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.asked.append(self.path)
                answers = outer.answers.get(self.path, [status(404)])
                (answers.pop(0) if len(answers) > 1 else answers[0])(self)

            def log_message(self, *args: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.address = f"http://127.0.0.1:{self.http.server_port}/"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


def body(data: bytes = PAGE, length: int | None = None) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", str(len(data) if length is None else length))
        request.end_headers()
        request.wfile.write(data)
        request.close_connection = True

    return answer


def status(code: int, **headers: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        for name, value in headers.items():
            request.send_header(name, value)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def stall(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(PAGE)))
    request.end_headers()
    request.wfile.write(PAGE[:10])
    request.wfile.flush()
    # Until the client has had enough of it.
    request.connection.recv(1)
    request.close_connection = True


def endless(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    try:
        while True:
            request.wfile.write(b"x" * 100_000)
    except OSError:
        request.close_connection = True


def place(server: Server, *names: str, data: bytes = PAGE) -> Catalogued:
    return Catalogued("Demo", server.address, "ours", {f"all/{name}": hashlib.sha256(data).hexdigest() for name in names})


def client(patience: float = 60.0) -> httpx.Client:
    return httpx.Client(follow_redirects=True, max_redirects=5, timeout=patience)


def fetched(place: Catalogued, folder: Path, patience: float = 60.0) -> tuple[int, list[float]]:
    waits: list[float] = []
    return fetch(place, folder, client=client(patience), wait=waits.append), waits


def test_a_file_that_is_there_is_not_downloaded_again(server: Server, tmp_path: Path) -> None:
    server.answers = {"/all/a.txt": [body()], "/all/S01/b.txt": [body()]}
    demo = place(server, "a.txt", "S01/b.txt")
    seen: list[tuple[int, int]] = []
    assert fetch(demo, tmp_path, client=client(), progress=lambda *at: seen.append(at)) == 2
    assert (tmp_path / "a.txt").read_bytes() == (tmp_path / "S01" / "b.txt").read_bytes() == PAGE
    assert seen == [(0, 2), (1, 2), (2, 2)]
    assert fetched(demo, tmp_path) == (0, [])
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    "trouble",
    [status(503), status(429), body(PAGE[:50], len(PAGE)), body(b"", 10)],
    ids=["busy", "too many", "cut short", "empty"],
)
def test_a_temporary_failure_is_retried(server: Server, tmp_path: Path, trouble: Answer) -> None:
    server.answers = {"/all/a.txt": [trouble, trouble, body()]}
    assert fetched(place(server, "a.txt"), tmp_path) == (1, [1.0, 2.0])
    assert (tmp_path / "a.txt").read_bytes() == PAGE


def test_a_server_that_stalls_is_asked_again(server: Server, tmp_path: Path) -> None:
    server.answers = {"/all/a.txt": [stall, body()]}
    assert fetched(place(server, "a.txt"), tmp_path, patience=2.0) == (1, [1.0])
    assert (tmp_path / "a.txt").read_bytes() == PAGE


def test_a_lasting_failure_is_reported_and_the_next_call_resumes(server: Server, tmp_path: Path) -> None:
    server.answers = {"/all/a.txt": [body()], "/all/b.txt": [status(503)]}
    demo = place(server, "a.txt", "b.txt")
    with pytest.raises(ScriptError, match=r"b\.txt: cannot be downloaded \(the server answers 503\)\. Are you online\?"):
        fetched(demo, tmp_path)
    assert server.asked.count("/all/b.txt") == 4
    server.answers["/all/b.txt"] = [body()]
    assert fetched(demo, tmp_path)[0] == 1
    assert server.asked.count("/all/a.txt") == 1


def test_a_server_that_cannot_be_reached_is_an_error(server: Server, tmp_path: Path) -> None:
    server.http.shutdown()
    server.http.server_close()
    with pytest.raises(ScriptError, match="Are you online"):
        fetched(place(server, "a.txt"), tmp_path)


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (status(404), "the server answers 404"),
        (status(403), "the server answers 403"),
        (body(b"something else"), "not what the catalogue says"),
        (status(302, Location="/all/a.txt"), "cannot be downloaded: .*redirects"),
        (status(302, Location="ftp://example.org/"), "cannot be downloaded"),
        (endless, "larger than 0 MB"),
        (body(PAGE, len(PAGE) - 7), "not what the catalogue says"),
    ],
    ids=["gone", "forbidden", "edited", "circle", "another protocol", "endless", "lies about its length"],
)
def test_a_permanent_failure_is_not_retried(
    server: Server, tmp_path: Path, answer: Answer, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_module, "MAX_BYTES", 200_000)
    server.answers = {"/all/a.txt": [answer]}
    with pytest.raises(ScriptError, match=problem):
        fetched(place(server, "a.txt"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_is_followed(server: Server, tmp_path: Path) -> None:
    server.answers = {"/all/a.txt": [status(301, Location="/b")], "/b": [body()]}
    assert fetched(place(server, "a.txt"), tmp_path) == (1, [])


def test_a_damaged_file_is_replaced(server: Server, tmp_path: Path) -> None:
    server.answers = {"/all/a.txt": [body()]}
    (tmp_path / "a.txt").write_text("half")
    assert fetched(place(server, "a.txt"), tmp_path)[0] == 1
    assert (tmp_path / "a.txt").read_bytes() == PAGE


def test_a_folder_that_cannot_be_created_is_named(server: Server, tmp_path: Path) -> None:
    server.answers = {"/all/a.txt": [body()]}
    (tmp_path / "file").write_text("")
    with pytest.raises(ScriptError, match=r"file/a\.txt: cannot be written"):
        fetched(place(server, "a.txt"), tmp_path / "file")


def test_the_catalogue_is_sound() -> None:
    places = catalogue()
    assert set(places) == {"friends", "south-park"}
    for one in places.values():
        assert one.address.startswith("https://")
        assert one.address.endswith("/")
        assert one.licence
        assert len(one.files) > 200
        for path, digest in one.files.items():
            assert ".." not in Path(path).parts
            assert len(Path(path).parts) > 1
            assert not Path(path).is_absolute()
            assert len(bytes.fromhex(digest)) == 32
