"""Dialogue acts: what a message does, as far as its wording tells (compare Stolcke et al. 2000, "Dialogue act modeling").

Where no similar message is known, an answer that fits every message of the act makes more sense than one to another message.
"""

import re
from collections.abc import Collection
from enum import Enum
from typing import NamedTuple

from charbot.generation.options import options
from charbot.generation.sentences import AUXILIARY, asks, core, parts
from charbot.generation.sentiment import Sentiment, sentiment
from charbot.generation.spelling import respelled
from charbot.text import words


class DialogueAct(Enum):
    """What a message does."""

    CHOICE = "choice"
    LIKES = "likes"
    EVER = "ever"
    ABLE = "able"
    WHETHER = "whether"
    WHY = "why"
    ABOUT = "about"
    OPINION = "opinion"
    SHOULD = "should"
    ADVICE = "advice"
    FACT = "fact"
    CLARIFY = "clarify"
    CORRECTS = "corrects"
    RECALL = "recall"
    AGREES = "agrees"
    DISAGREES = "disagrees"
    YES = "yes"
    NO = "no"
    REPLIED = "replied"
    BAD = "bad"
    GOOD = "good"
    TELLS = "tells"
    PLANS = "plans"
    PRAISES = "praises"
    TEASES = "teases"
    ADDRESSED = "addressed"
    REQUESTS = "requests"
    LAUGHS = "laughs"
    WONDERS = "wonders"


_ACTS = {act.value for act in DialogueAct}
_MARK = re.compile(r"\[(?P<act>\w+)(?: (?P<topic>\w+))?\]")

_SHORT = 5
"""Maximum number of words of an agreement and the like; longer ones say more."""

_REPLY = 14
"""Maximum number of words of the answer to a question."""


def _any_of(*patterns: str) -> re.Pattern[str]:
    """Return a pattern that finds any of some patterns in the words of a sentence, in lower case and without apostrophes."""
    return re.compile("|".join(rf"(?:{pattern})" for pattern in patterns))


_YOU = r"(?:you|u|ya)(?: guys| two| all| both)?"
_ADVERBS = r"(?: (?:really|actually|still|even|also|both|ever|always|usually|often|at least|all|just|not))*"

_CORRECTS = _any_of(
    r"\bnot what i (?:asked|said|meant|was)\b",
    r"\b(?:youre|you are) not (?:even )?(?:listening|making (?:any )?sense|answering)\b",
    r"\bma(?:kes?|de|king) no sense\b|\b(?:doesnt|didnt|dont) (?:make (?:any )?sense|answer)\b",
    r"^(?:(?:no|wait|dude|but|lol|huh|man|um) )*i(?:m| was| just| am)? (?:asked|asking|said|meant|mean|told you|talking)\b",
    r"^(?:(?:no|wait|dude|but) )+(?:nobody|no one|i didnt|i never|youre wrong|thats wrong|thats not)\b",
    r"\bwhat are you (?:talking|on) about\b|\bare you (?:even )?listening\b|\bnothing to do with\b|\bwrong (?:answer|person)\b",
    r"\byou (?:misunderstood|got it wrong|didnt (?:answer|listen|understand))\b",
)
_CLARIFIES = _any_of(
    r"\b(?:what|who|how) (?:do|did) you mean\b|\bwhat (?:does|did) that (?:even )?mean\b|\bwhat (?:is|was) that supposed to\b",
    r"^(?:wait )?(?:huh|what|who|where|when|says who|like what|which one|what thing|what do you|pardon|explain|what was that)$",
    r"^(?:wait )?(?:whos|whats|what is|who is) (?:that|this|it|he|she|they)$|^(?:wait )?(?:who|what) (?:does|did|is|was|do)$",
    r"\b(?:that|thing|what) you (?:just )?said\b|^(?:no )?you (?:just )?said\b",
    r"^(?:(?:yes|yeah|sure|ok|please) )*(?:tell me|go on|do tell|keep going|id love to hear)(?: more| about it| it| all)?$",
)
_SAID_AGAIN = re.compile(
    r"^.*\b(?:i (?:just )?(?:said|asked|meant|mean)|i was (?:asking|talking about)|i'?m asking) (?:that |if |whether )?"
    r"(?!that\b|it\b|you\b)",
    re.IGNORECASE,
)
"""Begins a correction, before what is said again."""

_LONG_WORD = 3
"""Number of letters up to which words say little."""

_QUESTIONS = {
    DialogueAct.SHOULD: _any_of(
        r"^(?:do you think |you think |tell me )?(?:should|shall) (?:i|we)\b|\b(?:do you|you) think i should\b",
        r"^would you do (?:it|that)\b|^(?:do|can|may) i (?:just )?(?:call|tell|ask|go|say|wait|buy|take)\b",
    ),
    DialogueAct.OPINION: _any_of(
        r"\bwhat (?:do|did|would|are) (?:you|your) (?:think|say|thoughts)\b|^(?:any )?thoughts\b|\byour (?:opinion|take)\b",
        rf"^(?:do|dont) {_YOU}{_ADVERBS} (?:think|agree|believe|feel|reckon|find)\b(?! {_YOU})|^you think\b",
        r"^(?:what|how) about (?!you)|^how (?:does|do) (?:it|that|this|i|these|they) (?:sound|look|seem)\b",
    ),
    DialogueAct.ADVICE: _any_of(
        r"^(?:what|how|where|when|which|who)\b.*\b(?:should|do|can|could|shall|would|must) (?:i|we)\b|\bhow to\b",
        r"\b(?:tips|ideas|advice|suggestions|recommendations?)\b|^(?:please |can you |could you )?help(?: me)?$",
        r"^what would you do\b|\bin my (?:place|shoes)\b",
    ),
    DialogueAct.EVER: _any_of(rf"^(?:have|did|had|havent|didnt|do) {_YOU} (?:ever|never)\b|^ever\b|^(?:have|havent) {_YOU}\b"),
    DialogueAct.LIKES: _any_of(
        rf"^(?:do|dont|would|wouldnt|did|didnt) {_YOU}{_ADVERBS} (?:like|love|enjoy|hate|want|prefer|miss|mind|dislike|need)\b",
        rf"^(?:you|u){_ADVERBS} (?:like|love|enjoy|hate|want|miss)\b|^are you (?:a fan of|into)\b|^(?:wanna|want to|fancy)\b",
    ),
    DialogueAct.ABLE: _any_of(
        rf"^(?:can|could|cant|couldnt) {_YOU}\b|^(?:do|did) {_YOU} know how\b|^are you (?:any )?good (?:at|with)\b"
    ),
}
"""Acts of questions by their wording; the first that fits."""

_STATEMENTS = {
    DialogueAct.AGREES: _any_of(
        r"^(?:exactly|true|same|me (?:too|neither)|i (?:know|agree|guess|suppose|bet)|right|agreed|yeah|yep|yes|yup|sure|fair)\b",
        r"^(?:of course|good point|for sure|absolutely|totally|definitely|makes sense|so true|thats (?:true|fair|right))\b",
        r"^you(?:re| are) right\b",
    ),
    DialogueAct.DISAGREES: _any_of(
        r"^(?:nah|no|nope|not really|i dont think so|i doubt|disagree|i disagree|never|not true|thats not (?:true|right)|wrong)\b"
    ),
    DialogueAct.WONDERS: _any_of(
        r"^(?:wow|whoa|woah|really|interesting|huh|oh my god|seriously|damn|geez|jeez|incredible|unbelievable|i didnt know)\b",
        r"^thats (?:so )?(?:crazy|wild|insane|interesting|amazing)\b",
    ),
}
"""Acts of short messages that are no questions."""

_YES = _any_of(
    r"^(?:yes|yeah|yep|yup|ya|yea|of course|sure|sometimes|often|always|maybe|probably|kind of|sort of|a (?:little|bit|lot))\b",
    r"^(?:absolutely|definitely|totally)\b|^(?:i|he|she|it|they|we) (?:do|does|did|am|is|are|have|has|was|were|can|will|would)$",
)
_NO = _any_of(
    r"^(?:no|nope|nah|not|never)\b|^im not$|^i am not$",
    r"^(?:i|he|she|it|they|we) (?:dont|doesnt|didnt|isnt|arent|wasnt|werent|hasnt|havent|cant|wont|wouldnt)$",
)
_REQUESTS = _any_of(
    r"^(?:please |just |now )*(?:tell|guess|show|say|come|give|imagine|sing|lets?|stop|wait|look|listen|help|make|send)\b",
    r"^(?:please |just |now )*(?:go|keep|pick|name|describe|explain|admit|dont|do|be|pretend|repeat|ask|call|remember|promise)\b",
    r"^(?:please |just |now )*(?:teach|write|read|play|dance|hug|bring|invite|hold|save|bet|trust|cheer|forget|take|try)\b",
)
_PLANS = _any_of(
    r"\b(?:im|i am|were|we are) (?:going|gonna|planning|thinking (?:of|about)|about to|leaving|moving|flying|getting|hoping)\b",
    r"\b(?:i|we) (?:will|ill|want to|wanna|plan to|hope to|might|may|have to|got to|need to)\b|\bthink ill\b|^ill (?!be fine)\w",
    r"\b(?:tomorrow|tonight|next (?:week|month|year|summer)|this weekend|on (?:mon|tues|wednes|thurs|fri|satur|sun)day)\b",
)
_LAUGHS = re.compile(r"(?:\W|\b(?:lo+l|l+m+f?a+o+|rofl|(?:ha|he|hi|hee)+h?|omg|xd+|im crying|stop)\b)+", re.IGNORECASE)

_HOW_ARE = re.compile(r"^hows\b|^how (?:is|are|was|were)\b")

_LITTLE = frozenset(
    words("what whats which who whos whose where wheres is are was the a an in on at near with of your my it that this wait")
)
"""Words that a message may have that asks for nothing but what the persona has just said."""

_AUXILIARY = AUXILIARY | frozenset(words("had werent hasnt"))
_ASKING = frozenset(words("what whats which who whos whose where wheres when whens why how hows"))
_TAG = _any_of(r"\b(?:right|isnt it|arent you|dont you|didnt you|isnt he|isnt she|havent you|yeah|huh|correct)$")
_FIRST = frozenset(words("i im my me mine ive id ill we our us"))
_SECOND = frozenset(words("you your yours yourself youre youve youd youll u ur ya"))
_THIRD = frozenset(words("he she they him her his hers them their theirs it its that this hes shes theyre"))
_THINGS = frozenset(words("it this that these those there"))


class Mark(NamedTuple):
    """What a message in square brackets in a voice stands for, as [choice] or [bad food]."""

    act: DialogueAct
    topic: str | None
    """Of what all messages of the act are; None for any (see `charbot.generation.topics`)."""


def marked(message: str) -> Mark | None:
    """Return what a message of a voice stands for; None for a real message."""
    match = _MARK.fullmatch(message.strip())
    return Mark(DialogueAct(match["act"]), match["topic"]) if match and match["act"] in _ACTS else None


def dialogue_act(message: str, before: str | None, called: Collection[str] = ()) -> DialogueAct | None:
    """Return what a message does, or None if its wording does not tell.

    `before` is the persona's last turn, if any; `called` are the words, in lower case, by which the persona is addressed.
    """
    said = parts(message, called)
    if not said:
        return None
    if _LAUGHS.fullmatch(message):
        return DialogueAct.LAUGHS
    point = said[0]
    plain = _plain(point)
    if before is not None:
        # A question beside a correction is to be answered.
        if _CORRECTS.search(plain) or (not asks(point) and _CORRECTS.search(_plain(message))):
            return DialogueAct.CORRECTS
        if _CLARIFIES.search(plain) or (asks(point) and _repeats(plain, before)):
            return DialogueAct.CLARIFY
    return _question(point, plain, before) if asks(point) else _statement(message, point, before)


def is_reaction(sentence: str) -> bool:
    """Return whether a sentence is an agreement, a disagreement or an exclamation, which says little beside others."""
    plain = _plain(core(sentence))
    return len(plain.split()) <= _SHORT and any(pattern.search(plain) for pattern in _STATEMENTS.values())


def _question(point: str, plain: str, before: str | None) -> DialogueAct:
    """Return the act of a question, also given as its plain words."""
    spoken = plain.split()
    about_persona = not _SECOND.isdisjoint(spoken)
    about_others = before is not None and _FIRST.isdisjoint(spoken)
    if options(point):
        return DialogueAct.CHOICE
    if act := next((act for act, pattern in _QUESTIONS.items() if pattern.search(plain)), None):
        return act
    if spoken[0] in _AUXILIARY or _TAG.search(plain):
        about = about_persona or (about_others and _THINGS.isdisjoint(spoken[1:2]))
        return DialogueAct.WHETHER if about else DialogueAct.OPINION
    if plain.startswith(("why", "how come")):
        return DialogueAct.WHY if about_persona or (before is not None and len(spoken) < _SHORT) else DialogueAct.FACT
    if spoken[0] not in _ASKING:
        # As "with what money?".
        follows_up = before is not None and len(spoken) <= _SHORT and not _ASKING.isdisjoint(spoken)
        return DialogueAct.ABOUT if follows_up else DialogueAct.WHETHER
    about = about_persona or (about_others and not _THIRD.isdisjoint(spoken)) or bool(_HOW_ARE.search(plain))
    return DialogueAct.ABOUT if about else DialogueAct.FACT


def _statement(message: str, point: str, before: str | None) -> DialogueAct | None:
    """Return the act of a message whose point is no question."""
    plain = _plain(point)
    spoken = plain.split()
    short, requests = len(spoken) <= _SHORT, _REQUESTS.search(plain)
    if before is not None and before.rstrip().endswith("?") and len(spoken) <= _REPLY and not requests:
        return (
            DialogueAct.YES
            if short and _YES.search(plain)
            else DialogueAct.NO
            if short and _NO.search(plain)
            else DialogueAct.REPLIED
        )
    if short and (act := next((act for act, pattern in _STATEMENTS.items() if pattern.search(plain)), None)):
        return act
    if len(spoken) < 2:
        return None
    if requests:
        return DialogueAct.REQUESTS
    feeling = sentiment(point)
    if feeling is Sentiment.NEUTRAL and sentiment(message) is Sentiment.BAD:
        feeling = Sentiment.BAD
    if not _SECOND.isdisjoint(spoken[:4]):
        return {Sentiment.GOOD: DialogueAct.PRAISES, Sentiment.BAD: DialogueAct.TEASES}.get(feeling, DialogueAct.ADDRESSED)
    if feeling is Sentiment.BAD:
        return DialogueAct.BAD
    if _PLANS.search(plain):
        return DialogueAct.PLANS
    return DialogueAct.GOOD if feeling is Sentiment.GOOD else DialogueAct.TELLS


def _repeats(plain: str, before: str) -> bool:
    """Return whether all that a message says are words of the persona's last turn."""
    spoken = plain.split()
    content = set(spoken) - _LITTLE
    return bool(content) and len(spoken) <= _SHORT and content <= set(_plain(before).split()) - _SECOND


def refers_back(message: str, before: str) -> bool:
    """Return whether a question is about something in the persona's last turn: by a pronoun, or by one of its words."""
    point = next(iter(parts(message)), "")
    spoken = _plain(point).split()
    pronoun = _FIRST.isdisjoint(spoken) and _SECOND.isdisjoint(spoken) and not _THIRD.isdisjoint(spoken)
    content = {word for word in spoken if len(word) > _LONG_WORD} - _SECOND
    return asks(point) and (pronoun or not content.isdisjoint(_plain(before).split()))


def restated(message: str) -> str:
    """Return what a correction says again, as in "no, I said that my goat is ill"; other messages as they are."""
    said = _SAID_AGAIN.sub("", message, count=1)
    return said if len(words(said)) >= _SHORT - 1 else message


def _plain(text: str) -> str:
    return " ".join(words(respelled(text))).replace("'", "")
