import pytest

from charbot.english import is_foreign


@pytest.mark.parametrize(
    "text",
    [
        "Hola, ¿cómo estás?", "bonjour", "Guten Tag, wie geht es dir?", "ciao, come stai?", "olá, tudo bem com você?",
        "hej, hur mår du?", "merhaba nasılsın", "cześć, jak się masz?", "hoe gaat het?", "je t'aime, tu es belle",
        "Привет, как дела?", "你好吗", "שלום לך",
        "apa kabar", "ich bin müde", "qui es-tu ?",
        "こんにちは",
    ],
)  # fmt: skip
def test_other_languages(text: str) -> None:
    assert is_foreign(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "hi", "lol", "How are you?", "I die for tacos", "What does merci mean?", "my friend José lives in San José", "ok",
        "Ciao, see you later", "The crème brûlée was so good", "hola amigo, what's up with you?", "😀😀😀", "12345", "come on",
        "who was that", "he said bonjour to me", "no", "man what a war", "Is the Los Angeles one bigger?", "zzz", "как means how",
        "La La Land is on",
    ],
)  # fmt: skip
def test_english_and_what_is_nothing(text: str) -> None:
    assert not is_foreign(text)
