"""Recognise text around the dialogue in a script: headings, credits, cast lists, notes, page furniture."""

import re
from functools import lru_cache

# These patterns are in lower case, and matched to lines in lower case: then re skips most alternatives by their first
# letter, which it does not where case is ignored.
_PEOPLE = (
    r"written|teleplay|story|screenplay|directed|produced|created|edited|hosted|starring|music|"
    r"transcribed|transcriber|transcribing|transcription|transcript|adjustments|formatted|converted|typed|"
    r"final check|checked|corrections?|proofread"
)
_CREDIT = re.compile(
    rf"(?:[\w&]+ )*?(?:{_PEOPLE}|part|additional \w+|guest (?:stars?|appearances?|callers?|starring)|special guest stars?|"
    r"(?:original(?:ly)? )?(?:air ?date|aired)|broadcast date|(?:episode )?filmed|production code|pc|"
    r"episode(?: number)?(?: \d+)?|season(?: \d+)?)\b"
    r"(?: (?:by|from|and|with|on|in|number|air ?date|revised|written|production|of)\b.*)?"
)
_LABEL = re.compile(
    r"synopsis|summary|characters|length|rating|tags|comments|posted(?: (?:by|on))?|source|trivia|goofs|subject|"
    r"notice|published|performed by|sung by|appearances|grade|caption|graphic|sfx|stage directions?|location|time|place|int|ext|"
    r"interior|exterior|previously on .+|"
    r"(?:[\w'’-]+ ){0,3}(?:moments?|seconds|minutes|hours|days?|weeks?|months?|years?)['’]? later|"
    r"like this|share this|jump to|related|loading|filed under|tagged|categor(?:y|ies)|leave a (?:comment|reply)|reblog this|"
    r"search for|posted in|(?:next|previous) post|see also|navigation|menu"
)
_CREDIT_LINE = re.compile(
    rf"\W*(?:(?:{_PEOPLE})(?: (?:&|and) (?:{_PEOPLE}))* (?:by|on)\b|teleplay:|story:|"
    r"(?:original(?:ly)? )?(?:air ?date|aired)\b|broadcast date|production code|episode (?:number|filmed|#? ?\d)|"
    r"transcript\b|pc: ?\d|copyright\b|©|\(c\) ?\d|all rights reserved|printed without permission)"
)
_CAST = re.compile(
    r"\W*(?:the )?(?:cast(?: list)?|regulars|guest (?:stars?|starring|callers?|appearances?|cast)|also starring)\b.{0,30}"
)
_DOTTED = re.compile(r"\S ?\.{5,} ?\S")
_PLAYED = re.compile(r"[A-Z][A-Z.'’ -]+ as [A-Z].{0,60}")
_NOTE = re.compile(
    r"\W*(?:n\. ?b\.|note|notes|disclaimer|(?:transcriber|author|writer)['’]?s notes?|p\. ?s\b\.?|warning|spoilers?)\b"
    r"(?: ?[:.-]| to )"
)
_FURNITURE = re.compile(
    r"[\W_]+|(?:back to|return to|go to|click|next|previous|prev|home|top|menu|search|navigation|links|continue[sd]?|more|"
    r"script|page \d+(?: of \d+)?|\d+\.?|(?:https?://|www\.)\S+|support this site\W*|contact|advertis\w+|legal stuff)"
)
_BREAK = re.compile(
    r"\W*(?:(?:opening|closing|ending|end|commercial|title|act)(?:[ -]*(?:credits?|titles?|break|theme|monologue))?|"
    r"credits|the end|"
    r"end of (?:act|part|show|episode|scene)\b.*|act (?:\w+|[ivx]+)|part (?:\w+|[ivx]+)|"
    r"time lapse|(?:smash |jump |match |flash )?cuts? (?:to|back)\b.*|dissolve\b.*|fade[sd]?(?: (?:in|out|to|back)\b.*)?|"
    r"scene\b.*|setting\b.*|skyline\b.*|(?:reset|shift) to\b.*|title card\b.*|"
    r"we cut to\b.*|angle on\b.*|teaser|tag|intro|cold open|later(?: (?:on|in|that|at)\b.{0,100})?|"
    r"flash(?:back|forward)s?(?: to\b.*)?|montage|"
    r"(?:int|ext|i/e|int\.?/ext)\b[. ].*)\W*"
)
_BRACKETED_SCENE = re.compile(
    r"[(\[{]\s*(?:new )?(?:(?:scene|setting|cut|time lapse|fade|intro|flashback|later|location)\b|(?:int|ext)\.)"
)


@lru_cache(maxsize=4096)
def is_credit(name: str) -> bool:
    """Return True if the text before a colon is a credit or a label ("Written by"), not a speaker."""
    # Cached, because the same few names begin most lines.
    small = name.lower()
    return any(form.fullmatch(small) for form in (_CREDIT, _LABEL, _CAST)) or _NOTE.match(f"{small}:") is not None


def is_break(line: str) -> bool:
    """Return True if a line begins or ends a scene ("INT. ROOF - DAY", "[Scene: The roof]")."""
    small = line.lower()
    return _BREAK.fullmatch(small) is not None or _BRACKETED_SCENE.match(small) is not None


def reason(line: str) -> str | None:
    """Return the reason why a line, not being a direction, is not speech; None if it may be speech."""
    small = line.lower()
    if _FURNITURE.fullmatch(small):
        return "page furniture"
    if _CAST.fullmatch(small) or ("....." in line and _DOTTED.search(line)) or (" as " in line and _PLAYED.fullmatch(line)):
        return "cast list"
    if _CREDIT_LINE.match(small):
        return "credits"
    if _NOTE.match(small):
        return "transcriber's note"
    return None
