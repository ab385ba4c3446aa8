"""Facts that users tell about themselves, and questions that ask for them, recognised by common wordings in English."""

import re
from dataclasses import dataclass

NAME_OF = "name of "
"""Begins the kinds of facts that are names of others than the user."""

PROPER = ("name", "home", "trip", "favourite band", "favourite singer")
"""Begin the kinds of facts that are proper nouns."""

_NOUNS = {
    "dog": "dog|puppy|pup|doggo", "cat": "cat|kitten|kitty", "hamster": "hamster", "rabbit": "rabbit|bunny", "pet": "pet",
    "bird": "bird|parrot", "fish": "fish|goldfish", "horse": "horse|pony", "sister": "sister|sis", "brother": "brother|bro",
    "mother": "mother|mom|mum", "father": "father|dad", "friend": "friend|bestie|bff", "girlfriend": "girlfriend|gf",
    "uncle": "uncle", "aunt": "aunt|auntie", "cousin": "cousin", "twin": "twin", "ex": "ex",
    "grandmother": "grandmother|grandma|granny|nana|nan", "grandfather": "grandfather|grandpa|granddad", "kid": "kid|child",
    "grandson": "grandson", "granddaughter": "granddaughter", "fiance": "fiance|fiancee", "neighbor": "neighbor|neighbour",
    "car": "car", "boat": "boat", "snake": "snake", "turtle": "turtle|tortoise", "lizard": "lizard|gecko",
    "boyfriend": "boyfriend|bf", "wife": "wife", "husband": "husband", "daughter": "daughter", "son": "son|boy",
    "baby": "baby", "boss": "boss", "roommate": "roommate", "teacher": "teacher",
}  # fmt: skip
"""Whose names are told: each with the words for it."""

_PLACE = (
    r"(?P<value>(?-i:[A-Z]\w+(?: [A-Z]\w+)+)"
    r"|(?:(?:new|san|los|las|st\.?|north|south|el|fort|port|saint|santa|rio de|hong|cape|salt lake|kansas|mexico) )?[a-z]+)"
)
"""A place: more than one word if they are capitalised, or if the first alone says too little."""

_THING = (
    r"(?P<value>[a-z]+(?: (?!(?:me|you|i|it|so|too|ever|now|though|lol|haha|fight|and|but|because)\b)[a-z]+){0,2}"
    r"(?= *(?:[,.!?]|$)| (?:and|but|so|because)\b)|[a-z]+)"
)
"""Up to three words, if nothing of the same clause follows; else one."""

_PERSON = r"(?P<value>(?:(?:mr|mrs|ms|dr|miss|sir|lady)\.? )?[a-z]+)"

_STATES = (
    r"(?!(?:\w+(?:ed|ing|less|ful)|an?|not|so|too|back|here|new|home|lost|sick|ill|sad|mad|happy|hungry|lonely|drunk|single|done|late"
    r"|ready|busy|sleepy|curious|angry|okay|ok|fine|good|great|bad|well|alive|alone|awake|broke|human|gay|old|young|fat|sorry|sure"
    r"|nervous|anxious|depressed|high|cold|hot|free|weird|crazy|dead|dying|your|you)\b)"
)
"""What people say that they are, if it is not a name."""

_GREETED = rf"^(?:hi|hello|hey|hiya|yo|sup)(?: there)?[,.!]? (?:i'?m|i am|this is|it'?s) {_STATES}"
"""A greeting after which a name follows, also in small letters."""

_TOLD = [
    ("name", r"\b(?:my name(?:'s| is)|calls? me|name's) (?P<value>[a-z]+)"),
    ("name", r"(?P<value>(?-i:[A-Z][a-z]+)) here\b"),
    ("name", r"^(?:(?:hi|hey|yo),? )?(?:the )?names (?P<value>[a-z]+)"),
    ("name", _GREETED + r"(?P<value>[a-z]+)[.!]*$"),
    ("name", r"(?-i:\b(?:[Ii]'?m|[Ii] am|[Tt]his is) (?P<value>[A-Z][a-z]+)\b)(?! years| from)"),
    ("home", r"\b(?:i live in|i'?m from|i am from|i come from|(?:i|we) (?:just )?moved to|i grew up in) " + _PLACE),
    ("home", r"\bi'?m from (?:an?|the) [^.?!]*?(?:called|named) " + _PLACE),
    ("trip", r"\b(?:going|flying|travell?ing|driving|moving) to " + _PLACE),
    (
        "job",
        r"\b(?:i work as an?|i'?m an?|i am an?) (?P<value>[a-z]+)(?= *(?:[,.!]|$)| (?:in|at|and|by|for|from|who|but)\b)",
    ),
    ("instrument", r"\bi(?: can)? play (?:the )?(?P<value>[a-z]+)"),
    ("fear", r"\b(?:afraid|scared|terrified) of " + _THING),
    ("allergy", r"\ballergic to " + _THING),
    (
        "age",
        r"\b(?:i'?m|i am|i (?:just )?turned) (?P<value>\d{1,3}|[a-z]+(?= (?:years|yrs) old))\b"
        r"(?! *(?:[a-z]+ (?:away|late)|%|am|pm))",
    ),
]
_GIVEN_NAME = re.compile(r"(?i:\b(?:named|called|name is|name's|names|name was)) (\w+)|\b(?i:i'm|im|i am|this is) ([A-Z]\w+)")

_ASKED = [
    ("name", r"\b(?:my name|who (?:am i|i am)|what am i called|what i'?m called)\b"),
    ("home", r"\bwhere (?:do i live|am i from|i live|i'?m from|i am from|did i move)\b"),
    ("home", r"\b(?:city|town|country|place) (?:(?:do|did|am|was) )?i\b"),
    ("trip", r"\bwhere (?:am i|i'?m|i am|was i) (?:going|flying|travell?ing|driving|moving|off)\b"),
    (
        "job",
        r"\bmy (?:job|line of work|profession|occupation)\b|\bwhat (?:do i|i) do\b"
        r"|\bi do for (?:a living|work)\b|\bwhat do i work\b",
    ),
    ("instrument", r"\b(?:what|which)\b.*\bi play\b|\bi say i play\b|\bmy instrument\b"),
    (
        "allergy",
        r"\bi(?:'?m| am) allergic|\bam i allergic|\bmy allerg|\bi (?:must |should |can )?(?:never|not|can'?t) eat\b",
    ),
    ("age", r"\bhow old (?:am i|i am|i'?m|(?:do|did) .*\bi (?:was|am))\b|\bmy age\b"),
    ("fear", r"\b(?:i'?m|am i|was i|i am) (?:\w+ )?(?:afraid|scared|terrified) of\b|\bscares me\b"),
]
_NOUN = "|".join(_NOUNS.values())
_NAMED = re.compile(
    rf"\b(?P<noun>{_NOUN})\b(?:[^.?!]*?(?:[.!] *(?:his|her|its) )?(?:\b|')"
    rf"(?:(?:(?:i?s|was) )?(?:named|called)|names?(?:'s| is| was)) {_PERSON}"
    r"|,? (?:(?:is|it'?s|he'?s|she'?s) )?(?P<capital>(?-i:[A-Z][a-z]+)))",
    re.IGNORECASE,
)
_FAVOURITE_NOUN = r"[a-z]+(?: cream)?"
_FAVOURITE = re.compile(rf"\bfavou?rite (?P<noun>{_FAVOURITE_NOUN}) (?:is|are|was) (?:the )?{_THING}", re.IGNORECASE)
_ASKED_NAME = re.compile(
    rf"\bmy (?P<noun>{_NOUN})(?:'?s)?\b(?=.*\b(?:names?|called)\b)|\bname\b.*\bmy (?P<other>{_NOUN})\b", re.IGNORECASE
)
_ASKED_FAVOURITE = re.compile(
    rf"\bmy favou?rite (?P<noun>{_FAVOURITE_NOUN})"
    rf"|\b(?:what|which) (?P<other>{_FAVOURITE_NOUN}) (?:do|did) i (?:like|love|prefer)",
    re.IGNORECASE,
)
_NO_VALUE = re.compile(
    r"an?|the|my|your|his|her|our|not|so|very|really|just|too|in|on|at|to|of|from|for|with|and|but|it|is|was|he|she|they|we|i|you"
    r"|that|this|what|who|here|there|also|called|named|now|still|only|always|never|sorry|fine|ok|okay|good|bad|sick|dead|tired"
)
"""Words that follow where a value could stand."""


@dataclass(frozen=True)
class Fact:
    """Something that a user has told."""

    kind: str
    """What it is: "name", "home", "name of dog", "favourite color", ..."""
    value: str


def facts_told(text: str) -> list[Fact]:
    """Return the facts that a message tells."""
    facts = []
    if match := _NAMED.search(text):
        facts.append(Fact(NAME_OF + _noun(match["noun"]), match["value"] or match["capital"]))
    if match := _FAVOURITE.search(text):
        facts.append(Fact(_favourite(match["noun"]), match["value"]))
    for kind, pattern in _TOLD:
        if match := re.search(pattern, text, re.IGNORECASE):
            facts.append(Fact(kind, match["value"]))
    return [fact for fact in facts if not _NO_VALUE.fullmatch(fact.value.casefold())]


def name_given(text: str) -> str | None:
    """Return the name that a message gives, of its writer or of somebody of his, if any."""
    match = _GIVEN_NAME.search(text) or re.search(_GREETED + r"(?P<greeted>[a-z]+)[.!]*$", text, re.IGNORECASE)
    return next((group for group in match.groups() if group), None) if match else None


def fact_asked(text: str) -> str | None:
    """Return the kind of fact that a message asks for, as something the user told before, if any."""
    if match := _ASKED_NAME.search(text):
        return NAME_OF + _noun(match["noun"] or match["other"])
    if match := _ASKED_FAVOURITE.search(text):
        return _favourite(match["noun"] or match["other"])
    return next((kind for kind, pattern in _ASKED if re.search(pattern, text, re.IGNORECASE)), None)


def _noun(word: str) -> str:
    return next(noun for noun, synonyms in _NOUNS.items() if word.casefold() in synonyms.split("|"))


def _favourite(noun: str) -> str:
    return f"favourite {noun.casefold().replace('colour', 'color').replace('film', 'movie')}"
