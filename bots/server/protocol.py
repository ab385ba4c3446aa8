"""The JSON of OpenAI's chat-completions protocol, as far as personas speak it, with charbot's additions to it."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from charbot.tokens.vocabulary import Unit

MAX_CHOICES = 8
"""Maximum replies per request."""

ErrorType: TypeAlias = Literal["invalid_request_error", "rate_limit_error", "server_error"]


class ContentPart(BaseModel):
    """A part of a message. Personas read those of the type `text`."""

    type: str
    text: str | None = None


class Message(BaseModel):
    """A message of the conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None
    name: str | None = None
    """A character who speaks instead of the role: in a scene, the other persona."""


class StreamOptions(BaseModel):
    """Options of a streamed reply."""

    include_usage: bool | None = None


class CompletionRequest(BaseModel):
    """The body of POST /v1/chat/completions. Other fields of the protocol are accepted, and ignored with a warning."""

    model_config = ConfigDict(extra="allow", strict=True)

    model: str
    """A persona, such as `joey`, or a persona and a unit: `joey:char`."""
    messages: Annotated[list[Message], Field(min_length=1)]
    n: Annotated[int | None, Field(ge=1, le=MAX_CHOICES)] = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(ge=0, le=1)] = None
    seed: int | None = None
    max_tokens: Annotated[int | None, Field(ge=1)] = None
    max_completion_tokens: Annotated[int | None, Field(ge=1)] = None
    """The newer name of `max_tokens`."""
    stop: str | Annotated[list[str], Field(max_length=4)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = None
    """Accepted, and used for nothing."""
    candidates: bool | None = None
    """Addition of charbot: whether each choice lists the candidates of its reply."""


class Colour(BaseModel):
    """A colour for dark and one for light backgrounds, as #rrggbb."""

    dark: str
    light: str


class Model(BaseModel):
    """A persona with a unit, as a model of the protocol. The fields after `owned_by` are additions of charbot."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: Literal["charbot"] = "charbot"
    name: str
    show: str
    unit: Unit
    mature: bool
    colour: Colour
    show_colour: Colour


class ModelList(BaseModel):
    """The body of GET /v1/models."""

    object: Literal["list"] = "list"
    data: list[Model]


class ReplyMessage(BaseModel):
    """The message of a choice."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(BaseModel):
    """One reply."""

    index: int
    message: ReplyMessage
    finish_reason: Literal["stop", "length"]
    """`length` where `max_tokens` cut it off."""
    candidates: list[dict[str, Any]] | None = None
    """Addition of charbot: the candidates, with their scores: the reply, then the others, best first."""


class Usage(BaseModel):
    """Counts of tokens of the model's unit."""

    prompt_tokens: int
    """Those of the turns that the model read."""
    completion_tokens: int
    total_tokens: int


class Completion(BaseModel):
    """The reply to a request."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    """Unix time."""
    model: str
    choices: list[Choice]
    usage: Usage
    warnings: list[str] | None = None
    """Addition of charbot: what of the request was ignored."""


class Error(BaseModel):
    """What went wrong."""

    message: str
    type: ErrorType
    param: str | None = None
    """The field of the request that is wrong."""
    code: str | None = None


class ErrorBody(BaseModel):
    """The body of a response that is an error."""

    error: Error
