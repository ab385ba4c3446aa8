"""The ASGI application: routes, and errors in the protocol's form."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, PlainTextResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException

from bots.persona_pool import PersonaPool
from bots.server.access import PAGE, AccessControl, AccessRules
from bots.server.catalogue import Catalogue
from bots.server.completions import ClientGoneError, Completions, Submission, event
from bots.server.errors import ProtocolError, protocol_error
from bots.server.metrics import COMPLETIONS, MeasureRequests, Metrics
from bots.server.protocol import Completion, CompletionRequest, ErrorBody, Model, ModelList
from charbot import __version__
from charbot.config import ChatSettings
from charbot.errors import BusyError, Cancelled, CharbotError
from charbot.generation.batching import BatchScheduler
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Reply

_PAGE_FOLDER = Path(__file__).parent / "page"
_PAGE_HEADERS = {
    # The page loads nothing from elsewhere, sends nothing elsewhere, and no other page embeds it.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    # After an update of charbot, browsers must not mix its files with older ones.
    "Cache-Control": "no-cache",
}
_REFRESH_SECONDS = 30
_HEALTH_SECONDS = 5
"""Timeout of the health check."""

_GONE = 499
"""The status under which requests of clients that went away are counted."""

_log = logging.getLogger("charbot.server")


def create_app(
    pool: PersonaPool, scheduler: BatchScheduler, settings: ChatSettings, rules: AccessRules, *, mature: bool
) -> FastAPI:
    """Return the application. It keeps no state between requests but the loaded personas."""
    completions = Completions(Catalogue(pool, settings.unit, mature=mature), scheduler, settings)
    metrics = Metrics()
    app = FastAPI(title="charbot", version=__version__, docs_url=None, redoc_url=None, lifespan=_refreshing(pool))
    _add_errors(app)
    _add_page(app)
    _add_protocol(app, completions)
    _add_monitoring(app, metrics, scheduler)
    # The last one added sees a request first.
    app.add_middleware(AccessControl, rules=rules)
    app.add_middleware(MeasureRequests, metrics=metrics)
    return app


def _refreshing(pool: PersonaPool) -> Callable[[FastAPI], Any]:
    """Return a lifespan in which the personas are regularly read again."""

    async def refresh() -> None:
        while True:
            await asyncio.sleep(_REFRESH_SECONDS)
            try:
                await asyncio.to_thread(pool.refresh)
            except Exception as error:
                _log.warning("%s", error)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(refresh())
        yield
        task.cancel()

    return lifespan


def _add_protocol(app: FastAPI, completions: Completions) -> None:
    errors: dict[int | str, dict[str, Any]] = {"4XX": {"model": ErrorBody}, "5XX": {"model": ErrorBody}}

    @app.get("/v1/models", responses=errors)
    async def list_models() -> ModelList:
        return ModelList(data=list(completions.catalogue.models().values()))

    @app.get("/v1/models/{id_}", responses=errors)
    async def show_model(id_: str) -> Model:
        return completions.catalogue.model(id_)

    @app.post(COMPLETIONS, response_model=Completion, response_model_exclude_none=True, responses=errors)
    async def complete(body: CompletionRequest, request: Request) -> Any:
        submission = completions.submit(await asyncio.to_thread(completions.prepare, body))

        async def gone() -> None:
            while (await request.receive())["type"] != "http.disconnect":
                pass

        if not body.stream:
            return await submission.completion(gone)
        return StreamingResponse(_events(submission, gone), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


async def _events(submission: Submission, gone: Callable[[], Any]) -> AsyncIterator[bytes]:
    """Yield the server-sent events of a streamed response. An error is an event too: the status has been sent by then."""
    try:
        async for chunk in submission.chunks(gone):
            yield event(chunk)
    except ClientGoneError:
        return
    except Exception as error:
        yield event(protocol_error(error).body.model_dump())
    yield b"data: [DONE]\n\n"


def _add_page(app: FastAPI) -> None:
    for path, file in PAGE.items():
        app.add_route(path, partial(_send_file, file), include_in_schema=False)


async def _send_file(file: str, _: Request) -> Response:
    return FileResponse(_PAGE_FOLDER / file, headers=_PAGE_HEADERS)


def _add_errors(app: FastAPI) -> None:
    """Have errors answered in the protocol's form."""

    def respond(_: Request, error: Exception) -> Response:
        return protocol_error(error).response()

    def http_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        message = f"{request.method} {request.url.path[:80]!r}: {error.detail}"
        return ProtocolError(error.status_code, message, headers=dict(error.headers or {})).response()

    for kind in (ProtocolError, RequestValidationError, CharbotError, Exception):
        app.add_exception_handler(kind, respond)
    app.add_exception_handler(HTTPException, http_error)
    app.add_exception_handler(ClientGoneError, lambda *_: Response(status_code=_GONE))


def _add_monitoring(app: FastAPI, metrics: Metrics, scheduler: BatchScheduler) -> None:
    @app.get("/metrics", include_in_schema=False)
    async def show_metrics() -> Response:
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/health", include_in_schema=False)
    async def health() -> Response:
        problem = await _health_problem(scheduler)
        return PlainTextResponse(f"{problem or 'well'}\n", 503 if problem else 200)


async def _health_problem(scheduler: BatchScheduler) -> str | None:
    """Return the problem that keeps the server from replying, or None."""

    class Nobody:
        def reply_batch(self, *_: object) -> list[Reply]:
            return []

    try:
        # A request that is cancelled at once: it passes through the queue and the thread that replies.
        reply = scheduler.submit(Nobody(), Conversation(), cancelled=lambda: True)
        await asyncio.wait_for(asyncio.wrap_future(reply), _HEALTH_SECONDS)
    except Cancelled:
        return None
    except BusyError as error:
        return str(error)
    except TimeoutError:
        return f"no reply within {_HEALTH_SECONDS} seconds"
    return None
