"""The page of a workspace, for the browser on the same machine.

Only this machine is listened to, and only under its own name: a page of another site that asks under another
host name (DNS rebinding) or sends a form gets nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast
from urllib.parse import parse_qs, unquote, urlsplit

from genailab.errors import InputError
from genailab.learn.content import find_session
from genailab.learn.state.workspace import Workspace
from genailab.learn.web import html, pages

__all__ = ["PracticeServer", "serve"]

HOST = "127.0.0.1"
LONGEST_FORM = 10_000  # bytes

# Nothing from elsewhere is loaded, and no other page may show this one in a frame.
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # With no-referrer a form would come from the origin "null", like one of another site.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

Answer = tuple[str, bytes]


class PracticeServer(ThreadingHTTPServer):
    """A server on this machine only; ``address`` is what to open.

    Parameters
    ----------
    workspace
        What is shown.
    port
        0 takes any that is free.
    """

    daemon_threads = True

    def __init__(self, workspace: Workspace, port: int = 0) -> None:
        self.workspace = workspace
        try:
            super().__init__((HOST, port), _Handler)
        except (OSError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise InputError(
                f"port {port} cannot be used ({reason}): --port 0 takes any that is free"
            ) from error

    @property
    def address(self) -> str:
        """Where it is."""
        return f"http://{HOST}:{self.server_port}/"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing where the browser went away in the middle of an answer."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]

    @property
    def hosts(self) -> set[str]:
        """Names it answers to."""
        return {f"{name}:{self.server_port}" for name in (HOST, "localhost")}


def serve(workspace: Workspace, port: int = 0, *, announce: Callable[[str], object] | None = None) -> None:
    """Show a workspace until Ctrl-C; ``announce`` takes the sentence that says where."""
    say = announce or _say
    with PracticeServer(workspace, port) as server:
        say(f"Your practice is at {server.address} (only from this machine; Ctrl-C ends it).")
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            say("Ended.")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class _Handler(BaseHTTPRequestHandler):
    server_version = "genailab"
    sys_version = ""

    def do_GET(self) -> None:
        self._answer(self._page)

    do_HEAD = do_GET  # noqa: N815  # the name http.server asks for

    def do_POST(self) -> None:
        self._answer(self._form)

    def _answer(self, make: Callable[[list[str]], Answer]) -> None:
        server = self._server()
        origin = self.headers.get("Origin")
        if self.headers.get("Host") not in server.hosts or (
            origin is not None and urlsplit(origin).netloc not in server.hosts
        ):
            self._send(HTTPStatus.FORBIDDEN, ("text/plain", b"This page is for this machine only.\n"))
            return
        parts = [unquote(part) for part in urlsplit(self.path).path.split("/") if part]
        try:
            self._send(HTTPStatus.OK, make(parts))
        except InputError as error:
            page = pages.missing_page(server.workspace, str(error))
            self._send(HTTPStatus.NOT_FOUND, _html(page))

    def _page(self, parts: list[str]) -> Answer:
        workspace = self._server().workspace
        match parts:
            case []:
                return _html(pages.map_page(workspace))
            case ["exercise", id]:
                return _html(pages.lesson_page(workspace, workspace.exercise(id)))
            case ["quiz", id]:
                return _html(pages.quiz_page(workspace, find_session(id, workspace.curriculum)))
            case ["picture", name]:
                picture = workspace.exercise(name.removesuffix(".svg")).folder / "picture.svg"
                if not picture.is_file():
                    raise InputError(f"there is no picture of {name}")
                return "image/svg+xml", picture.read_bytes()
            case ["version"]:
                return "text/plain", pages.version_of(workspace).encode()
            case ["style.css"]:
                return "text/css", html.style("feedback.css", "page.css").encode()
            case ["page.js"]:
                return "text/javascript", (html.WEB / "page.js").read_bytes()
        raise InputError(f"there is no page {self.path!r}")

    def _form(self, parts: list[str]) -> Answer:
        workspace = self._server().workspace
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LONGEST_FORM:
            raise InputError(f"a form of {length or 'unknown'} bytes is none of this page's")
        answers = parse_qs(self.rfile.read(int(length)).decode("utf-8", errors="replace"))
        match parts:
            case ["quiz", id]:
                return _html(pages.quiz_page(workspace, find_session(id, workspace.curriculum), answers))
        raise InputError(f"there is no form {self.path!r}")

    def _send(self, status: HTTPStatus, answer: Answer) -> None:
        kind, content = answer
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _server(self) -> PracticeServer:
        return cast(PracticeServer, self.server)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the page asks several times a second."""


def _html(page: str) -> Answer:
    return "text/html", page.encode()
