from charbot.config import ChatSettings
from charbot.generation.batching import BatchScheduler
from charbot.generation.conversation import Conversation
from charbot.personas.library import Library
from charbot.testing import ScriptedPersona


def test_a_scripted_persona_replies_what_its_script_says(shared_library: Library) -> None:
    persona = ScriptedPersona(
        shared_library, "ann", lambda card, conversation, options: f"{card.name}, {len(conversation.turns)}, {options.clean}"
    )
    reply = persona.reply(Conversation().add("Tea?"), ChatSettings(clean=True))
    assert reply.text == reply.candidates[0].text == reply.conversation.turns[-1].text == "Ann, 1, True"
    assert reply.conversation.turns[-1].speaker == "Ann"
    with BatchScheduler() as scheduler:
        assert scheduler.submit(persona, reply.conversation).result().text == "Ann, 2, False"
    assert persona.shortened("one two three", "word", 2) == "two three"
