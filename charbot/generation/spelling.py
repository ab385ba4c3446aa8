"""Spellings that people use in chats, and the words that they stand for."""

import re

_WORDS = {
    "u": "you", "ya": "you", "ur": "your", "r": "are", "y": "why", "im": "i'm", "ive": "i've", "dont": "don't", "cant": "can't",
    "wat": "what", "wut": "what", "wht": "what", "whats": "what's", "wats": "what's", "hows": "how's", "wheres": "where's",
    "whos": "who's", "thats": "that's", "dis": "this", "da": "the", "teh": "the", "n": "and", "nd": "and", "bc": "because",
    "cuz": "because", "cos": "because", "coz": "because", "becuz": "because", "tho": "though", "thru": "through",
    "thx": "thanks", "thnx": "thanks", "ty": "thank you", "tysm": "thank you so much", "pls": "please", "plz": "please",
    "favourite": "favorite", "fav": "favorite", "fave": "favorite", "colour": "color", "mum": "mom", "mums": "mom's",
    "hiya": "hi", "heya": "hey", "heyy": "hey", "heyyy": "hey", "hii": "hi", "hiii": "hi", "helo": "hello", "hallo": "hello",
    "wanna": "want to", "gonna": "going to", "gotta": "got to", "lemme": "let me", "gimme": "give me", "dunno": "don't know",
    "doin": "doing", "goin": "going", "feelin": "feeling", "lookin": "looking", "nothin": "nothing", "somethin": "something",
    "rn": "right now", "idk": "i don't know", "idc": "i don't care", "wyd": "what are you doing", "hbu": "how about you",
    "wbu": "what about you", "ily": "i love you", "gtg": "got to go", "g2g": "got to go", "ttyl": "talk to you later",
    "omg": "oh my god", "nvm": "never mind", "bf": "boyfriend", "gf": "girlfriend", "bff": "best friend", "ppl": "people",
    "tmrw": "tomorrow", "tmr": "tomorrow", "bday": "birthday", "b4": "before", "gr8": "great", "luv": "love", "sry": "sorry",
    "prolly": "probably", "def": "definitely", "alot": "a lot", "tonite": "tonight", "nite": "night",
    "goodnight": "good night", "gnight": "good night", "goodmorning": "good morning", "rly": "really",
    "fuck": "screw", "fck": "screw", "fuk": "screw", "fucking": "damn", "fuckin": "damn", "fucked": "screwed", "stfu": "shut up",
    "wtf": "what the hell", "gtfo": "get out", "bitch": "jerk", "asshole": "jerk", "shit": "crap", "shitty": "crappy",
    "realy": "really", "freind": "friend", "wich": "which", "wierd": "weird", "definately": "definitely", "tommorow": "tomorrow",
}  # fmt: skip

_WORD = re.compile(r"\b\w+\b(?!')")


def respelled(text: str) -> str:
    """Return a text with the words that chat spellings stand for."""
    return _WORD.sub(lambda match: _WORDS.get(match[0].casefold(), match[0]), text)
