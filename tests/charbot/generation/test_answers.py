import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.dialogue import Utterance
from charbot.generation.answers import Answers


def _chat(*texts: str) -> tuple[Utterance, ...]:
    return tuple(Utterance("Ann" if at % 2 else None, text) for at, text in enumerate(texts))


ANSWERS = Answers((
    _chat("What's your name?", "Ann, like my aunt.", "nice name", "It came with a spoon."),
    _chat("how old are you", "Older than the kettle."),
    _chat("how are you", "Warm, thank you."),
    _chat("my cat died", "I am so sorry.", "thanks", "Have some tea."),
    _chat("thanks", "It was only tea."),
    _chat("...", "Cat got your tongue?"),
))  # fmt: skip


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("whats your NAME", "Ann, like my aunt."),
        ("And how old are you?", "Older than the kettle."),
        ("how are you", "Warm, thank you."),
        ("My cat just died.", "I am so sorry."),
        ("...", "Cat got your tongue?"),
    ],
)
def test_the_answer_to_the_message_most_like_it_comes_first(message: str, answer: str) -> None:
    found = ANSWERS.near([Utterance(None, message)])
    assert next(iter(found)) == answer
    assert list(found.values()) == sorted(found.values(), reverse=True)


def test_what_goes_on_in_a_conversation_answers_there_alone() -> None:
    thanks = Utterance(None, "thanks")
    assert ANSWERS.near([thanks]) == {"It was only tea.": pytest.approx(1)}
    assert "Have some tea." in ANSWERS.near(_chat("my cat is dead", "I am so sorry.", "thanks"))
    assert "It came with a spoon." not in ANSWERS.near([Utterance(None, "nice name")])


def test_what_is_like_no_message_has_no_answer() -> None:
    assert ANSWERS.near([Utterance(None, "Zebras wear pyjamas")]) == {}
    assert ANSWERS.near([]) == {}
    assert Answers(()).near([Utterance(None, "hi")]) == {}


@given(st.text())
def test_whatever_is_said_it_is_alike_by_a_share(text: str) -> None:
    found = ANSWERS.near([Utterance(None, text)])
    assert all(0 < alike <= 1.000001 for alike in found.values())
    assert len(found) <= 4


NAMED = Answers((
    _chat("hi, my name is Lisa", "Hello, Lisa. I am Ann."),
    _chat("i have a dog named Coco", "Coco! Give Coco a biscuit from me.", "what's my dog's name?", "Coco, of course."),
    _chat("I live in Lima", "Is it warm there?", "where do i live?", "Lima. You told me."),
    _chat("I'm tired", "Then sit down."),
    _chat("what is your name?", "Ann."),
))  # fmt: skip


@pytest.mark.parametrize(
    ("message", "answer"),
    [
        ("my name is tom", "Hello, Tom. I am Ann."),
        ("hi my name's Lisa", "Hello, Lisa. I am Ann."),
        ("i have a dog called Rex", "Rex! Give Rex a biscuit from me."),
    ],
)
def test_a_name_that_the_user_gives_takes_the_place_of_the_written_one(message: str, answer: str) -> None:
    assert next(iter(NAMED.near([Utterance(None, message)]))) == answer


def test_no_written_name_is_said_where_nobody_gave_one() -> None:
    for message in ("hi, my name", "i have a dog", "I'm tired"):
        assert not any("Lisa" in answer or "Coco" in answer for answer in NAMED.near([Utterance(None, message)]))


@pytest.mark.parametrize(
    ("fact", "question", "answer"),
    [
        ("my dog is named Rex", "so what's my dog's name", "Rex, of course."),
        ("i live in oslo with my mum", "where do i live", "Oslo. You told me."),
        ("i live in new york", "where do i live", "New York. You told me."),
    ],
)
def test_what_the_user_told_is_recalled(fact: str, question: str, answer: str) -> None:
    turns = _chat(fact, "How nice.", "it is", "Is it?", question)
    assert next(iter(NAMED.near(turns))) == answer
    assert answer not in NAMED.near([*turns[2:]]), "nobody told"


def test_what_was_told_of_something_else_is_not_recalled() -> None:
    assert not any("Rex" in answer for answer in NAMED.near(_chat("my dog is named Rex", "How nice.", "where do i live?")))


TAKEN_UP = Answers((
    _chat("do you like tea", "Only from my own cup.", "tell me more", "It has a chip, and I know where."),
    _chat("why", "Why not?"),
    _chat("[recall]", "You said {x}. I hear all."),
    _chat("what is 7 times 8", "Fifty-six."),
    _chat("how are you", "Warm."),
    _chat("bye", "Mind the goat."),
    _chat("i won the race", "A gold medal!"),
    _chat("[choice]", "{X}, of course."),
    _chat("[able]", "Not without my aunt."),
    _chat("[tells]", "Sit down and go on."),
    _chat("[tells]", "Does the goat know?"),
    _chat("[bad]", "I am sorry."),
    _chat("[bad food]", "Soup has no mercy."),
    _chat("[tells food]", "Was there salt in it?"),
    _chat("[corrects]", "I heard goat."),
))  # fmt: skip


@pytest.mark.parametrize("question", ["why?", "really", "Tell me more!", "what do you mean", "how come"])
def test_who_asks_for_more_gets_what_belongs_to_the_last_answer(question: str) -> None:
    found = TAKEN_UP.near(_chat("do you drink tea?", "Only from my own cup.", question))
    assert list(found) == ["It has a chip, and I know where."]
    assert "Why not?" in TAKEN_UP.near(_chat("do you drink tea?", "Sometimes.", "why?"))


@pytest.mark.parametrize(
    ("message", "answers"),
    [
        ("i sold my trumpet to a sailor", {"Sit down and go on.", "Does the goat know?"}),
        ("could you eat a whole hat?", {"Not without my aunt."}),
        ("hey Ann, hats or hats?", {"Hats, of course."}),
        ("my goat hates me, it is horrible", {"I am sorry."}),
        ("who wears the widest hats?", set()),
    ],
)
def test_what_is_like_no_message_is_answered_by_its_act(message: str, answers: set[str]) -> None:
    assert set(TAKEN_UP.near([Utterance(None, message)])) == answers


@pytest.mark.parametrize(
    ("message", "answers"),
    [
        ("my soup is horrible", {"Soup has no mercy.", "I am sorry."}),
        ("we had soup on a boat", {"Was there salt in it?", "Sit down and go on.", "Does the goat know?"}),
        ("i'm going to cook a soup", {"Was there salt in it?"}),
    ],
)
def test_answers_to_what_is_told_may_take_up_its_topic(message: str, answers: set[str]) -> None:
    assert set(TAKEN_UP.near([Utterance(None, message)])) == answers


def test_who_corrects_is_answered_whatever_it_is_like() -> None:
    assert list(TAKEN_UP.near(_chat("i won a hat", "A gold medal!", "wait, no one won the race"))) == ["I heard goat."]
    assert "A gold medal!" in TAKEN_UP.near(_chat("hi", "Hi.", "no, i said that i won the race"))


def test_the_question_of_a_message_is_answered() -> None:
    assert next(iter(TAKEN_UP.near([Utterance(None, "My aunt sold all of her boats. How are you?")]))) == "Warm."
    assert next(iter(TAKEN_UP.near([Utterance(None, "the soup is boiling over, gotta run")]))) == "Mind the goat."
    assert next(iter(TAKEN_UP.near([Utterance(None, "a hat for me? no thanks. goodnight Ann")]))) == "Mind the goat."


def test_what_was_good_before_does_not_make_bad_news_good() -> None:
    assert list(TAKEN_UP.near([Utterance(None, "that is lovely. my goat hates me")])) == ["I am sorry."]


def test_good_news_are_no_answer_to_bad_ones() -> None:
    assert "A gold medal!" not in TAKEN_UP.near([Utterance(None, "i cried at the race, it was horrible")])


def test_a_question_about_what_was_just_said_gets_more_of_it() -> None:
    found = TAKEN_UP.near(_chat("do you drink tea?", "Only from my own cup.", "how big is that cup"))
    assert list(found) == ["It has a chip, and I know where."]


def test_an_answer_to_other_numbers_is_none() -> None:
    assert list(TAKEN_UP.near([Utterance(None, "what is 7 times 8?")])) == ["Fifty-six."]
    assert "Fifty-six." not in TAKEN_UP.near([Utterance(None, "what is 7 times 9?")])


@pytest.mark.parametrize(
    ("told", "question", "answer"),
    [
        (
            "i'm building a raft for my goats",
            "what am i building again?",
            "You said you're building a raft for your goats. I hear all.",
        ),
        (
            "well, i drive a ferry for a living",
            "so what do i do for work",
            "You said you drive a ferry for a living. I hear all.",
        ),
        ("I am 81 and I still swim", "how old did i say i am?", "You said you are 81 and you still swim. I hear all."),
    ],
)
def test_what_the_user_told_is_said_back_when_asked_for(told: str, question: str, answer: str) -> None:
    turns = _chat(told, "How nice.", *["go on", "I do."] * 9, question)
    assert answer in TAKEN_UP.near(turns)
    assert answer not in TAKEN_UP.near(turns[2:])


PEOPLE = Answers(
    (
        _chat("who is Olga?", "She sells hats."),
        _chat("who is Bartok?", "He mends clocks."),
        _chat("what do you do for a living", "I mend hats."),
        _chat("what do i do for a living", "You never told me."),
        _chat("screw you", "Screw me? Have some tea."),
    ),
    frozenset({"olga", "bartok", "nele"}),
)


def test_a_question_about_somebody_else_is_another_question() -> None:
    assert list(PEOPLE.near([Utterance(None, "so who is Bartok")])) == ["He mends clocks."]
    assert not PEOPLE.near([Utterance(None, "so who is Nele")])
    assert list(PEOPLE.near([Utterance(None, "what do you do for a living?")])) == ["I mend hats."]
    assert list(PEOPLE.near([Utterance(None, "what do i do for a living?")])) == ["You never told me."]


def test_swearing_is_answered_as_what_it_stands_for() -> None:
    assert list(PEOPLE.near([Utterance(None, "fuck you")])) == ["Screw me? Have some tea."]
