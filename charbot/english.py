"""Whether a message is in another language than English, which is all that personas speak."""

import unicodedata

from charbot.text import words

_LETTERS = 3
"""Minimum letters of a message that is judged by its alphabet."""

_SPANISH_AND_PORTUGUESE = """
hola que qué como cómo estás estas está esta eres soy tu tú el la los las una por para con pero muy gracias porque quiero dónde
donde cuando tienes tengo hacer bien buenos días olá você não sim obrigado obrigada meu minha uma muito tudo bom fazer
"""
_FRENCH = """
bonjour salut je suis tu es est une les des dans avec pour mais pas qui quoi où merci vous nous ça va bien c'est j'ai t'es t'aime
d'accord oui quel quelle très aussi
"""
_GERMAN_AND_DUTCH = """
hallo guten ich bin du bist ist und nicht das der mir mich dich wie geht dir danke bitte mein dein ein eine auch noch haben heißt
heisst kannst wo warum goedemorgen ik ben jij je het een niet hoe gaat dank mijn zijn wat waar
"""
_ITALIAN = "ciao stai sono sei il che non di grazie perché cosa molto questo buongiorno"
_OTHERS = """
cześć jak się masz jest nie dziękuję merhaba nasılsın sen bir ve için teşekkürler evet hej hur mår jag är och inte tack halo apa
kabar saya kamu tidak terima kasih
"""

_FOREIGN = frozenset(words(" ".join((_SPANISH_AND_PORTUGUESE, _FRENCH, _GERMAN_AND_DUTCH, _ITALIAN, _OTHERS))))
"""Frequent words of other languages that are no frequent English words."""

_ENGLISH = frozenset(
    words("""
    i you he she it we they me my your the a an am are was were be do does did have has can will would what who why where how when
    and or but not no yes to of in on at for with that this so just like i'm you're it's don't that's is
    """)
)
"""Frequent English words."""


def is_foreign(text: str) -> bool:
    """Return whether a message is clearly in another language.

    Most of its letters are of another alphabet, or it has more frequent words of other languages than of English: at least
    two, or nothing else.
    """
    letters = [char for char in text if char.isalpha()]
    latin = sum(unicodedata.name(char, "").startswith("LATIN") for char in letters)
    if len(letters) >= _LETTERS and latin * 2 < len(letters):
        return True
    spoken = words(text)
    english, foreign = (sum(word in frequent for word in spoken) for frequent in (_ENGLISH, _FOREIGN))
    return foreign > english and (foreign >= 2 or foreign == len(spoken))
