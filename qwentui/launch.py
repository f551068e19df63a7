"""What flags, environment and files say, made into the values that a program starts with.

Only what the first paint needs is imported at the top; the rest comes when a server is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from _typeshed import DataclassInstance

    from qwentui.backends.address import Endpoint
    from qwentui.backends.base import Backend, ModelDetails
    from qwentui.backends.model_fetch import Progress
    from qwentui.backends.retry import RetryPolicy
    from qwentui.chat.context import TrimPolicy
    from qwentui.chat.persona import Persona
    from qwentui.chat.sampling import Sampling, Think
    from qwentui.counting.counter import PromptCounter
    from qwentui.session import ChatOptions, ChatSession
    from qwentui.store.paths import Paths
    from qwentui.store.settings import Settings
    from qwentui.store.settings_origin import Origin
    from qwentui.store.usage_log import UsageLog

_THINK: dict[str, Think] = {"default": None, "on": True, "off": False}


@dataclass(frozen=True, slots=True)
class Embedded:
    """The built-in server is wanted; `gguf` is the user's own model, None the one that is fetched."""

    gguf: Path | None = None


@dataclass(frozen=True, slots=True)
class Launch:
    """Everything that a start decides: where, which model, how.

    `settings` already has the flags laid over it. `embedded` is None when a server is to be talked to.
    `resume` names the session to go on with: its id or a part of it, "" for the last one, None for none.
    `warnings` are sentences about the settings that the user is to be told. The prompt of `persona`, with
    which chats begin, has its variables filled in. `origin` is what the settings were made of; None where
    that is no file, and they cannot be changed.
    """

    paths: Paths
    settings: Settings
    embedded: Embedded | None = None
    resume: str | None = None
    warnings: tuple[str, ...] = ()
    persona: Persona | None = None
    origin: Origin | None = None

    def endpoint(self, host: str | None = None) -> Endpoint:
        """The server to talk to: `host` by OLLAMA_HOST's rules, else the one of the settings.

        Raises:
            SettingsError: The address cannot be read.
        """
        from qwentui.backends.address import Endpoint, parse_host

        server = self.settings.server
        return Endpoint(
            base_url=parse_host(server.host if host is None else host),
            headers=tuple(server.headers.items()),
            bearer=server.bearer,
            basic=(server.user, server.password) if server.user else None,
            ca_file=server.ca_file,
            client_cert=server.client_cert,
            client_key=server.client_key,
            verify=server.verify,
            uds=server.uds,
            trust_env=server.trust_env,
        )

    async def open_server(self, host: str | None = None) -> Backend:
        """Find out what answers at the address, and give the backend for it.

        Raises:
            QwentuiError: The address cannot be read, nothing answers, or nothing that serves models.
        """
        from qwentui.backends.detect import detect

        return await detect(
            self.endpoint(host), self.settings.server.api, silence=self.settings.retry.silence
        )

    async def open_embedded(self, progress: Callable[[Progress], None]) -> Backend:
        """Start the built-in server, fetching its model first when need be.

        Raises:
            EmbeddedError: The model cannot be had or the server not started.
        """
        from qwentui.backends.embedded import open_embedded

        gguf = self.embedded.gguf if self.embedded else None
        return await open_embedded(self.paths.models, gguf, progress)

    def usage_log(self, warn: Callable[[str], None]) -> UsageLog | None:
        """What writes the usage log; None where none is wanted.

        Args:
            warn: Told once, in another thread, when the disk refuses.

        Raises:
            StoreError: The file cannot be one.
        """
        import os

        from qwentui.store.usage_log import UsageLog, log_path

        log = self.settings.log
        if not log.file:
            return None
        return UsageLog(
            log_path(log.file),
            self.paths.log_salt,
            os.environ,
            with_text=log.log_prompts,
            max_bytes=log.max_bytes,
            keep=log.keep,
            warn=warn,
        )

    def session(self, backend: Backend, model: ModelDetails) -> ChatSession:
        """A new conversation with `model`."""
        from qwentui.chat.conversation import Conversation
        from qwentui.counting.counter import PromptCounter
        from qwentui.planning import Planner
        from qwentui.session import ChatSession

        session = ChatSession(
            backend,
            model,
            self.options(),
            policy=self.retry_policy(),
            planner=Planner(self.trim_policy(), PromptCounter()),
            conversation=Conversation(system=self.settings.model.system),
        )
        if self.persona is not None:
            self.cast(session, self.persona)
        return session

    def cast(self, session: ChatSession, persona: Persona | None) -> None:
        """Let the model be a persona from the session's next request on; None goes back to the settings."""
        from dataclasses import replace

        wanted = self.options(persona)
        session.options = replace(
            session.options, think=wanted.think, sampling=wanted.sampling, persona=wanted.persona
        )
        session.planner.want(self.trim_policy(persona).num_ctx, session.model.context_length)
        system = self.settings.model.system if persona is None else persona.system
        session.conversation = replace(session.conversation, system=system)

    def follow(self, session: ChatSession, earlier: Launch, persona: Persona | None) -> None:
        """Let a session that began under the settings of `earlier` go by these, from its next request on.

        What has not changed since stays as the session has it, for the user may have set it there; and what
        `persona` sets goes before the settings.
        """
        from dataclasses import replace

        was, now = earlier.options(persona), self.options(persona)
        changed = _changes(was, now) | {
            "sampling": replace(session.options.sampling, **_changes(was.sampling, now.sampling))
        }
        session.options = replace(session.options, **changed)
        session.policy = self.retry_policy()
        planner = session.planner
        policy = replace(planner.policy, num_ctx=planner.wanted)
        policy = replace(policy, **_changes(earlier.trim_policy(persona), self.trim_policy(persona)))
        planner.adopt(policy, session.model.context_length)
        talk, before = session.conversation, earlier.settings.model.system
        if not session.options.persona and not talk.turns and talk.system == before:
            session.conversation = replace(talk, system=self.settings.model.system)

    def options(self, persona: Persona | None = None) -> ChatOptions:
        """What goes with every request, by the settings and the persona that goes before them."""
        from qwentui.session import ChatOptions

        wanted, sampling, think = self.settings.model, self.sampling(), _THINK[self.settings.model.think]
        if persona is not None:
            sampling = sampling.under(persona.sampling)
            think = think if persona.think is None else persona.think
        return ChatOptions(
            think=think,
            sampling=sampling,
            num_predict=wanted.num_predict,
            keep_alive=wanted.keep_alive,
            persona="" if persona is None else persona.name,
        )

    def retry_policy(self) -> RetryPolicy:
        """How a request that failed is tried again, by the settings."""
        from qwentui.backends.retry import RetryPolicy

        retry = self.settings.retry
        return RetryPolicy(
            attempts=retry.attempts,
            delay=retry.delay,
            busy_delay=retry.busy_delay,
            jitter=retry.jitter,
            longest=retry.longest,
            breaks=retry.breaks,
            restart_wait=retry.restart_wait,
            restart_pause=retry.restart_pause,
        )

    def cast_alike(self, session: ChatSession, persona: Persona | None) -> tuple[str, ...]:
        """As `cast`, but the model stays in memory as it is: its name and its context are the session's.

        Returns:
            What the persona wants otherwise, a sentence each.
        """
        from dataclasses import replace

        from qwentui.backends.choice import fitting, short_name
        from qwentui.chat.persona import Persona
        from qwentui.chat.sanitize import sanitize_line
        from qwentui.language import _

        num_ctx, model = session.num_ctx, session.model.name
        wanted = persona or Persona("", self.settings.model.system)
        self.cast(session, replace(wanted, num_ctx=num_ctx))
        told = []
        if wanted.num_ctx not in (None, num_ctx):
            text = _(
                "{persona} wants {wanted:,} tokens of context; {given:,} stay, or the model would reload."
            )
            told.append(text.format(persona=wanted.name, wanted=wanted.num_ctx, given=num_ctx))
        if wanted.model and not fitting(wanted.model, [model], ()):
            text = _("{persona} wants the model {wanted}; {answers} answers.")
            name = sanitize_line(wanted.model, 60)
            told.append(text.format(persona=wanted.name, wanted=name, answers=short_name(model)))
        return tuple(told)

    def sampling(self) -> Sampling:
        """How the model picks its tokens, by the settings."""
        from qwentui.chat.sampling import Sampling

        wanted = self.settings.model
        return Sampling(
            temperature=wanted.temperature,
            top_k=wanted.top_k,
            top_p=wanted.top_p,
            min_p=wanted.min_p,
            repeat_penalty=wanted.repeat_penalty,
            seed=wanted.seed,
            stop=wanted.stop,
        )

    def trim_policy(self, persona: Persona | None = None) -> TrimPolicy:
        """How a long conversation is kept inside the context, which a persona may have its own of."""
        from qwentui.chat.context import TrimPolicy

        context = self.settings.context
        return TrimPolicy(
            budget=context.budget,
            num_ctx=(persona.num_ctx if persona else None) or self.settings.model.num_ctx,
            reply_room=context.reply_room,
            drop_rounds=context.drop_rounds,
            keep_rounds=context.keep_rounds,
        )

    async def counter(self, backend: Backend, model: ModelDetails) -> PromptCounter | None:
        """A counter by the model's own vocabulary, from disk or from the server; None where it has none.

        Raises:
            BackendError: The server did not tell.
        """
        from qwentui.backends.ollama import OllamaBackend
        from qwentui.counting.counter import PromptCounter
        from qwentui.counting.vocabulary import has_known_tokenizer
        from qwentui.counting.vocabulary_cache import VocabularyCache

        if not isinstance(backend, OllamaBackend):
            return None
        show, version = await backend.show(model.name), await backend.version()
        if not has_known_tokenizer(show):
            return PromptCounter.of_model(show, None, version)
        cache = VocabularyCache(self.paths.cache / "vocabularies")
        digest = await backend.digest(model.name)
        vocabulary = await cache.obtain(digest, lambda: backend.show_verbose(model.name))
        return PromptCounter.of_model(show, vocabulary, version)


def _changes(was: DataclassInstance, now: DataclassInstance) -> dict[str, Any]:
    """The fields in which two values of one type differ, with what they are now."""
    from dataclasses import fields

    values = {field.name: (getattr(was, field.name), getattr(now, field.name)) for field in fields(now)}
    return {name: new for name, (old, new) in values.items() if old != new}
