"""What can go wrong, as a tree.

    QwentuiError
    ├── SettingsError               a value from flag, environment or file that cannot be used
    ├── StoreError                  the disk refused
    ├── EmbeddedError               the built-in model cannot be had or started
    ├── ModelFileError              a GGUF file or a Modelfile that cannot be used
    ├── AttachmentRefused           a file that the user named cannot go along
    ├── CannotSee                   there is an image, and the model takes none
    ├── PromptTooLong               not even the last message fits into the context
    ├── CannotContinue              a partial reply cannot be taken up
    ├── CommandRefused              what was typed as a command cannot be obeyed
    └── BackendError                the server, or the way to it
        ├── ConnectFailed           no connection: refused, unknown name, timeout; may heal
        ├── TlsFailed               the connection is not trusted
        ├── NotAModelServer         something else answers at this address
        ├── NotOffered              this kind of server does no such thing
        ├── RequestRefused          a status of 4xx, or one of 5xx that stays
        │   ├── AccessDenied        401, 403
        │   ├── ModelNotFound       404 for the model
        │   └── ContextExceeded     the prompt is longer than the server's context
        ├── ServerFailed            a status of 5xx; may heal
        │   ├── ServerBusy          503
        │   └── OutOfMemory         the model does not fit
        └── ReplyBroken             the stream ended before the reply was complete
            ├── ReplyFailed         an error line inside the stream
            ├── ReplyCut            the body ended without `done: true`
            └── ReplySilent         nothing came for longer than the limit

Each carries one sentence that says what is wrong and a hint that says what to do. Neither holds markup, and
both may be shown as they are: text that came from a server is sanitized before it gets in.
"""

from __future__ import annotations


class QwentuiError(Exception):
    """Anything that a user is told in one sentence.

    Args:
        message: What is wrong, one sentence.
        hint: What to do about it, or "".
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message, hint)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        # A full stop of Chinese has its space in itself.
        gap = "" if self.message.endswith("。") else " "
        return f"{self.message}{gap}{self.hint}".rstrip()


class SettingsError(QwentuiError):
    """A setting cannot be used; the message names its place (file and key, variable or flag)."""


class StoreError(QwentuiError):
    """Something could not be read from or written to disk."""


class EmbeddedError(QwentuiError):
    """The built-in model could not be fetched, checked or started."""


class ModelFileError(QwentuiError):
    """A GGUF file or a Modelfile is missing, damaged, or says what no server takes."""


class AttachmentRefused(QwentuiError):
    """A file that was to go along is missing, unreadable, too large, or neither text nor image."""


class CannotSee(QwentuiError):
    """An image was to go to a model that takes none; nothing was sent."""


class PromptTooLong(QwentuiError):
    """Not even the system prompt and the last message fit; nothing was sent."""


class CannotContinue(QwentuiError):
    """The partial reply cannot be taken up: the template closes its turn, or there is none."""


class CommandRefused(QwentuiError):
    """What the user typed as a command cannot be obeyed: no such name, or not with that argument."""


class BackendError(QwentuiError):
    """The server, or the way to it."""


class ConnectFailed(BackendError):
    """No connection came about: refused, no such name, timed out."""


class TlsFailed(BackendError):
    """The server's certificate, or ours, was not accepted."""


class NotAModelServer(BackendError):
    """Something answers at the address, but neither Ollama nor an OpenAI-compatible server."""


class NotOffered(BackendError):
    """What is asked for is not among the things that this kind of server does."""


class RequestRefused(BackendError):
    """The server refused the request: HTTP 4xx, or a 5xx that asking again will not heal.

    Args:
        message: What is wrong, one sentence.
        hint: What to do about it, or "".
        status: The HTTP status.
    """

    def __init__(self, message: str, hint: str = "", *, status: int) -> None:
        super().__init__(message, hint)
        self.status = status


class AccessDenied(RequestRefused):
    """HTTP 401 or 403: credentials, or Ollama's check of the Host header."""


class ModelNotFound(RequestRefused):
    """HTTP 404 for the model asked for."""


class ContextExceeded(RequestRefused):
    """The prompt is longer than the context (`exceed_context_size_error`).

    Args:
        message: What is wrong, one sentence.
        hint: What to do about it, or "".
        status: The HTTP status.
        n_prompt_tokens: The prompt's length as the server counted it, if it said so.
        n_ctx: The server's context size, if it said so.
    """

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        status: int,
        n_prompt_tokens: int | None = None,
        n_ctx: int | None = None,
    ) -> None:
        super().__init__(message, hint, status=status)
        self.n_prompt_tokens = n_prompt_tokens
        self.n_ctx = n_ctx


class ServerFailed(BackendError):
    """The server failed (HTTP 5xx).

    Args:
        message: What is wrong, one sentence.
        hint: What to do about it, or "".
        status: The HTTP status.
        retry_after: Seconds that the server asked to wait (`Retry-After`), if it did.
    """

    def __init__(
        self, message: str, hint: str = "", *, status: int, retry_after: float | None = None
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.retry_after = retry_after


class ServerBusy(ServerFailed):
    """HTTP 503: the queue is full, or a model is being loaded."""


class OutOfMemory(ServerFailed):
    """The model, or its context, does not fit into memory; asking again will not help."""


class ReplyBroken(BackendError):
    """The stream ended before the reply was complete; what came before is good."""


class ReplyFailed(ReplyBroken):
    """The server reported an error inside the stream (`{"error": ...}` at status 200)."""


class ReplyCut(ReplyBroken):
    """The body ended without `done: true`, cleanly or not."""


class ReplySilent(ReplyBroken):
    """Nothing came for longer than the limit."""
