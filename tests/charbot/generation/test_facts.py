import pytest
from hypothesis import given
from hypothesis import strategies as st

from charbot.generation.facts import Fact, fact_asked, facts_told


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("hi, my name is karen", "name", "karen"),
        ("hey I'm Mike and this is my first time here", "name", "Mike"),
        ("my dog is called Rex", "name of dog", "Rex"),
        ("I just got a puppy, his name is Biscuit", "name of dog", "Biscuit"),
        ("my sister's name is Ann", "name of sister", "Ann"),
        ("my brother Tom is visiting", "name of brother", "Tom"),
        ("i have a cat named pumpkin", "name of cat", "pumpkin"),
        ("I live in Chicago", "home", "Chicago"),
        ("I'm going to Italy next week!", "trip", "Italy"),
        ("I'm a nurse, just got home", "job", "nurse"),
        ("My name is Paul and I'm a plumber from Leeds", "job", "plumber"),
        ("i work as a plumber", "job", "plumber"),
        ("my favourite colour is purple", "favourite color", "purple"),
        ("i play the drums", "instrument", "drums"),
        ("i'm afraid of spiders", "fear", "spiders"),
        ("i live in new york, near the park", "home", "new york"),
        ("I grew up in Salt Lake City and hated it", "home", "Salt Lake City"),
        ("my favorite cake is lemon drizzle, so good", "favourite cake", "lemon drizzle"),
        ("my favorite band is oasis so there", "favourite band", "oasis"),
        ("my cat scratched me. his name is Mr. Pickles", "name of cat", "Mr. Pickles"),
        ("I am 72 and new here", "age", "72"),
        ("hi, i'm tom", "name", "tom"),
        ("hey there! im olga!!", "name", "olga"),
        ("i'm allergic to peanuts so no thanks", "allergy", "peanuts"),
    ],
)
def test_what_is_told(text: str, kind: str, value: str) -> None:
    assert Fact(kind, value) in facts_told(text)


@pytest.mark.parametrize(
    "text",
    [
        "I'm so tired",
        "my dog is sick",
        "my brother is visiting me",
        "I'm not sure",
        "my name is not important",
        "i am 10 minutes away",
        "hi, i'm bored",
        "hello i am lonely",
        "what's your name?",
    ],
)
def test_what_tells_nothing(text: str) -> None:
    assert not facts_told(text)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("do you remember my name?", "name"),
        ("what's my dog's name again?", "name of dog"),
        ("what is my dogs name", "name of dog"),
        ("what is my cat called", "name of cat"),
        ("do you know the name of my brother", "name of brother"),
        ("where do i live?", "home"),
        ("which city did I say I live in?", "home"),
        ("where am I going next week?", "trip"),
        ("do you remember what my job is", "job"),
        ("what color do I like best?", "favourite color"),
        ("what's my favorite food", "favourite food"),
        ("how old did i say i was", "age"),
        ("what must i never eat?", "allergy"),
        ("which team do i like best", "favourite team"),
        ("what's your name", None),
        ("where do you live", None),
    ],
)
def test_what_is_asked(text: str, kind: str | None) -> None:
    assert fact_asked(text) == kind


@given(st.text())
def test_any_text_may_tell_and_ask(text: str) -> None:
    assert all(fact.value == fact.value.strip() != "" for fact in facts_told(text))
    fact_asked(text)
