from charbot.config import ChatSettings
from charbot.generation.bench import bench_reply, latency, throughput
from charbot.generation.conversation import Conversation
from charbot.generation.persona import Persona
from charbot.personas.bundle import PersonaCard
from charbot.personas.library import Library
from charbot.testing import ScriptedPersona


class _Clock:
    """A clock that goes on only when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_bench_has_its_figures(shared_library: Library) -> None:
    persona = Persona(shared_library, "ann")
    found = bench_reply(persona, ["Hi", "More tea?", "Bye"], ChatSettings(candidates=2, max_words=4))
    assert found["replies"] == 3
    assert 0 < found["p50_ms"] <= found["p95_ms"] <= found["p99_ms"] <= found["longest_ms"]
    assert found["replies_per_second_at_64"] > 0
    assert found["step_ms"] > 0
    assert found["memory_mb"] > 50


def test_the_replies_to_one_user_are_timed_one_by_one(shared_library: Library) -> None:
    clock = _Clock()

    def script(card: PersonaCard, conversation: Conversation, options: ChatSettings) -> str:
        # The longer the message, the longer the reply takes.
        clock.now += len(conversation.turns[-1].text) / 1000
        return "Tea."

    persona = ScriptedPersona(shared_library, "ann", script)
    messages = ["x" * length for length in range(1, 102)]
    found = latency(persona, messages, ChatSettings(), clock)
    assert found == {"replies": 101, "p50_ms": 51.0, "p95_ms": 96.0, "p99_ms": 100.0, "longest_ms": 101.0}


def test_many_conversations_are_answered_at_once(shared_library: Library) -> None:
    asked: list[str] = []

    def script(card: PersonaCard, conversation: Conversation, options: ChatSettings) -> str:
        asked.append(conversation.turns[-1].text)
        return "Tea."

    ticks = iter(range(0, 100, 2))  # each round takes two seconds
    persona = ScriptedPersona(shared_library, "ann", script)
    assert throughput(persona, ["Hi", "Bye"], ChatSettings(), lambda: next(ticks)) == 32
    assert asked.count("Hi") == asked.count("Bye") == 3 * 32
