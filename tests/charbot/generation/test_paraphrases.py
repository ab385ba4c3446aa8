from collections import Counter

import pytest

from charbot.dialogue import Utterance
from charbot.generation.answers import Answers
from charbot.generation.paraphrases import paraphrase_groups, paraphrases, wording


def test_groups_are_of_several_messages_and_no_message_is_in_two() -> None:
    groups = paraphrase_groups()
    assert len(groups) > 700
    assert all(len(group) >= 4 and all(message.isascii() and wording(message) for message in group) for group in groups)
    counts = Counter(wording(message) for group in groups for message in group)
    assert not [message for message, count in counts.items() if count > 1]


def test_a_message_is_found_however_it_is_spelled() -> None:
    assert "they sacked me" in paraphrases()[wording("I got FIRED!")]


def test_what_answers_a_message_answers_what_means_the_same() -> None:
    answers = Answers(((Utterance(None, "I got fired."), Utterance("Ann", "Then come and have some tea.")),))
    assert answers.near([Utterance(None, "They sacked me!")]) == {"Then come and have some tea.": pytest.approx(0.8)}
    assert not answers.near([Utterance(None, "good morning")])
