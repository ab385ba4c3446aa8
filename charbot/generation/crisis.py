"""Messages about suicide, self-harm, abuse or violence that is meant, which no persona may answer.

They are recognised by phrases, in several languages. Figures of speech ("this homework kills me") are left alone; where that
is not possible, a note too many is better than a joke about somebody's death.
"""

import re

from charbot.generation.disguise import spoken
from charbot.text import normalise, words

_PERSON = (
    r"(?:step)?(?:mom|mum|mother|dad|father|brother|sister)|parents?|uncle|aunt|cousin|grand(?:ma|pa|mother|father)|boyfriend"
    r"|girlfriend|bf|gf|husband|wife|partner|ex|teacher|coach|boss|priest|neighbou?rs?|roommate|classmates?|coworkers?|family|kids?"
)
_PLACE = r"(?:school|church|mosque|synagogue|temple|mall|office|hospital|class|classroom|airport|university|college|workplace)"

_INTENT = r"(?:want|wanna|need|plan|planning|going|gonna|about|urge|trying|tried|will|like|how)"

_SELF_HARM = (
    r"(?:kill(?:ed|ing|s)?|hang(?:ed|ing)?|drown(?:ed|ing)?|shoot(?:ing)?|shot|unalive|harm(?:ed|ing)?)"
    r" (?:my|your|him|her) ?self(?! in the foot| laughing)",
    rf"(?:{_INTENT}|should i) (?:to )?(?:(?:hurt|cut|burn|off) myself|overdose|end it all"
    r"|jump (?:off|from) (?:a|the) (?:bridge|building|roof))|should i (?:die|take pills)",
    r"(?:feel like|thinking of|thought of) (?:dying|offing myself|ending it all)",
    r"(?:plan|planning|want|need) to drown(?! it| in| the| my)",
    r"(?:need|plan|planning|cant wait) to die|im (?:going to|gonna) (?:die|drown) (?:soon|today|tonight|this (?:week|month))",
    r"(?:plan|planning|going|about) to take pills|wants? me to die|(?:i|you) should (?:just )?die|wont be alive much longer",
    r"(?:dead soon|being dead would|welcome death|cant go on anymore)|(?:the pain|it all) to (?:end|be over|stop)",
    r"(?:miss me|care|notice|better off) if i (?:was|were) (?:dead|gone)",
    r"(?:no one|nobody) (?:(?:will|is going to) miss me|(?:would|will|ll) (?:care|notice|mind) if i (?:died|die))",
    r"wish i wasnt (?:alive|here (?:anymore|any more))|dont see (?:a|the|any) point (?:anymore|any more|in (?:living|life))",
    r"hurt(?:ing)? myself on purpose|starv(?:e|ing) myself",
    r"life (?:is not|isnt) worth (?:it|living)",
    r"(?:been|keep|kept|started|stop|stopped|about) (?:hurting|cutting|burning) myself",
    r"i cut myself (?:again|every|on purpose|to feel|because)",
    r"(?:suicide|suicidal)(?! squad| silence| mission| doors?)(?<!political suicide)(?<!career suicide)(?<!social suicide)",
    r"kys|kms(?! away| per| an hour| from| long)|(?:no|isnt any|whats the) point (?:in|of) (?:living|life|being alive)",
    r"self ?harm(?:ing|ed)?|slit (?:my|your) wrists?",
    r"(?:want|wanna|wish|deserve|tried|trying|hope) (?:\w+ )?(?:to |i could |i would )?(?:just )?die"
    r"(?! laughing| of| from| hard| in battle)",
    r"wan(?:t to|na) (?:\w+ )?(?:be dead|disappear forever|stop existing)|wish (?:that )?i (?:was|were) (?:dead|never born)",
    r"(?:better off|rather be) dead|(?:end(?:ing)?|take|taking) my (?:own )?life",
    r"dont want to (?:live|exist|be alive|wake up)(?: anymore| any more| any longer)?(?! in| with| at| next| near| early| so)",
    r"(?:no reason|nothing left|nothing) to live for|no reason (?:left )?to live|cant go on living",
    r"(?:swallow|swallowed|take|took|taking) (?:all (?:of )?(?:the|my|these|her|his)|a whole bottle of|too many)"
    r" (?:sleeping )?pills",
    r"(?:everyone|everybody|they|world|family) (?:would|d|will) be better (?:off )?without me",
    # German
    r"ich (?:will|möchte|wollte|werde|könnte) (?:\w+ ){0,2}"
    r"(?:sterben|tot sein|mich (?:\w+ )?(?:umbringen|töten|erhängen|ritzen))",
    r"ich (?:bringe?|töte) mich (?:\w+ )?um|mich (?:selbst )?umzubringen|(?:selbstmord|suizid)\w*|mir das leben (?:zu )?nehmen",
    r"(?:will|möchte|kann) (?:\w+ )?nicht mehr leben|ich ritze mich|mich selbst verletz\w+",
    # French
    r"(?:je veux|je voudrais|envie de|jai envie de) (?:\w+ )?mourir(?! de)|(?:me|se) suicider|suicidaires?|plus envie de vivre",
    r"je (?:veux|vais|voudrais) me (?:tuer|pendre|scarifier)|mettre fin à mes jours|je me scarifie|veux plus vivre",
    # Spanish, Portuguese, Italian
    r"quiero morir(?:me)?(?! de)|me quiero (?:morir(?! de)|matar)|quiero (?:suicidarme|matarme)|quitarme la vida",
    r"(?:suicid|suicíd)(?:arme|io|arse|ar|a|arsi|armi)|no quiero (?:seguir viviendo|vivir(?! en| con| sin| aquí))",
    r"qu(?:ero|eria) (?:\w+ )?(?:me matar|morrer(?! de))|tirar (?:a )?minha (?:própria )?vida|não quero mais viver",
    r"voglio (?:morire(?! d)|uccidermi|ammazzarmi|farla finita)|togliermi la vita|non voglio più vivere",
    # Dutch, Polish, Russian, Turkish
    r"ik wil (?:\w+ )?(?:dood(?! gaan van)|sterven|niet meer leven)|zelfmoord|mezelf (?:doden|van kant maken|snijden)",
    r"chcę (?:umrzeć|się zabić)|samobój\w+|nie chcę (?:już )?żyć",
    r"хочу (?:умереть|сдохнуть|покончить с собой|убить себя)|покончить с собой|самоуби\w+|не хочу (?:больше )?жить",
    r"ölmek istiyorum|intihar|kendimi öldür\w+|yaşamak istemiyorum",
)
_ABUSE = (
    rf"my (?:{_PERSON})(?: \w+)? (?:hits?|beats?|abuse[sd]?|molest(?:s|ed)|rape[sd]|strangle[sd]"
    r"|choke[sd]|punche[sd]|kick(?:s|ed)|touche[sd]|threaten(?:s|ed) to kill) me(?! at| in| to| by| up| with)",
    r"(?:he|she|they) (?:beats?|hits?|chokes) me (?:up|when|again|every (?:day|night)|if|because)",
    r"(?:i was|i am|im|i got|being|been|getting) (?:\w+ )?(?:raped|molested|abused|groomed|(?:sexually )?assaulted)",
    r"(?:raped|molested|sexually (?:abused|abuses|assaulted|assaults)|abuses)"
    r" (?:me|my (?:\w+ )?(?:sister|brother|daughter|son|friend))",
    # German, French, Spanish, Portuguese, Italian, Dutch, Polish, Russian
    r"meine? (?:vater|mutter|stiefvater|freund|mann|frau|onkel|bruder|eltern) (?:schlägt|schlagen|verprügelt|missbraucht) mich",
    r"(?:wurde|worden|hat mich) (?:\w+ )?(?:vergewaltigt|missbraucht)",
    r"m(?:on|a) (?:père|mère|beau père|mari|copain|oncle|frère) me (?:bat|frappe|viole)|(?:ma|jai été) viol(?:é|ée)",
    r"mi (?:padre|madre|padrastro|novio|marido|esposo|tío|hermano) me (?:pega|golpea|viola|maltrata)|me viol(?:ó|aron)",
    r"(?:meu|minha) (?:pai|mãe|padrasto|namorado|marido|tio) me (?:bate|estupra|agride)|fui estuprad[oa]|me estupr(?:ou|aram)",
    r"mio (?:padre|marito|fidanzato|zio|patrigno) mi (?:picchia|violenta)|(?:mi ha|sono stat[oa]) violentat[oa]",
    r"mijn (?:vader|moeder|stiefvader|vriend|man|oom) (?:slaat|mishandelt|misbruikt) (?:me|mij)|(?:ben|word) verkracht",
    r"(?:ojciec|ojczym|mąż|chłopak) mnie bije|mnie zgwałcił\w*",
    r"(?:отец|отчим|муж|парень|мать|дядя) (?:меня )?(?:бьёт|бьет|избивает|насилует)|меня изнасиловал\w*",
)
_VIOLENCE = (
    rf"(?:shoot(?:ing)? up|blow(?:ing)? up|bomb(?:ing)?|burn(?:ing)? down|attack(?:ing)?)"
    rf" (?:the|my|our|a|this|that) (?:\w+ )?{_PLACE}",
    r"(?:plan|planning|do|commit|start) (?:a|the|another) (?:school|mass) (?:shooting|murder)",
    rf"(?:bring|bringing|take|taking) (?:a|my|the) (?:gun|knife|rifle|bomb) to (?:the )?{_PLACE}|(?:make|build) a (?:pipe )?bomb",
    r"(?:going to|gonna|want to|wanna|plan to|planning to|will|about to|should i|thought about|how (?:do i|can i|to)) (?:\w+ )?"
    r"(?:kill(?:ing)?|murder(?:ing)?|stab(?:bing)?|shoot(?:ing)?|poison(?:ing)?|strangl(?:e|ing)) (?:all )?"
    rf"(?:(?:my|the|our) (?:{_PERSON}|students|teachers)|someone|somebody|people|everyone|everybody|children"
    r"|women|men|jews|muslims|(?:a|some) (?:person|people|kids?|child|girl|boy|man|woman))(?! with kindness)",
    r"how (?:do i|can i|to) hurt (?:someone|somebody|people)|(?:have|got|bought) a gun and (?:\w+ ){1,5}school",
    # German, French, Spanish, Portuguese, Italian, Russian
    r"amok ?lauf\w*|ich (?:will|werde|möchte) (?:\w+ )?(?:alle|jemanden|leute|menschen) (?:umbringen|töten|erschießen|abstechen)",
    r"je (?:veux|vais) (?:tous les tuer|tuer (?:tout le monde|quelquun|des gens))",
    r"faire sauter (?:l|mon |le |la )?(?:école|lycée)",
    r"(?:quiero|voy a) matar (?:a )?(?:todos|alguien|gente)|(?:quero|vou) matar (?:todo mundo|todos|alguém|pessoas)",
    r"voglio (?:uccidere|ammazzare) (?:tutti|qualcuno)|хочу (?:убить|зарезать) (?:всех|кого то|людей)",
)
_ASKS = (
    r"(?:should|shall|can|could|may|do) (?:i|we)|should you|would you help me|(?:do|dont) you (?:want|wanna)"
    r"|(?:is|would) it (?:be )?(?:ok|okay|fine|alright|all right|cool|fun|right|good|so bad)(?: \w+){0,2}"
    r"|help me|lets|how|ok|okay|fine|alright"
)
_HARMS = (
    r"(?!beat (?:him|her|them) |hit (?:on|up) )(?:kill|murder|stab|shoot|poison|drug|rape|molest|strangle|choke|slap|punch|hit"
    r"|beat(?: up)?|kick|hurt|burn|drown|whip|tie up|kidnap|lock|push|starve|run over)"
)
_SOMEBODY = (
    rf"(?:{_PERSON}|wives|friend|girls?|boys?|child|children|toddler|baby|babies|wom[ae]n|m[ae]n|guys?|people|person|someone|somebody"
    r"|students?|foreigners?|strangers?|immigrants?|him|her|them|dog|cat|puppy|kitten)"
)
_MAY_I = r"(?:should|can|could|may|ok|okay|fine|safe|going to|gonna)(?: \w+){0,2}"
_PERMISSION = (
    # Not as in: beat him at chess, kick them out, push him to study.
    rf"(?:{_ASKS}) (?:to |if (?:i|we) )?(?:just )?{_HARMS} (?:(?:my|your|his|her|our|the|a|an|this|that|some|all|every|up) )?"
    rf"(?:\w+ )?{_SOMEBODY}\b(?! (?:at|up|out|to|on|with kindness|for a|a|in the (?:game|match|race)|again at)\b)",
    r"(?:drug|spike|roofie)(?:ging)? (?:his|her|their|someones|somebodys|a) drink|something (?:in|into) (?:his|her|their) drink",
    r"touch(?:ing)? (?:a|the|that|my|your) (?:sleeping|drunk|little|passed out|unconscious|underage)"
    r" (?:girl|boy|woman|man|kid|child|sister|brother)",
    rf"{_MAY_I} drive(?: \w+){{0,2}} (?:(?:after|on|with) (?:\w+ ){{1,3}}(?:beers?|drinks?|wines?|shots?)|drunk|wasted|stoned)",
    r"(?:stop|quit|skip)(?:ping|ting)? (?:taking )?(?:my|his|her|their) (?:\w+ )?"
    r"(?:insulin|meds|medication|medicines?|pills|antidepressants)",
    r"should(?:nt)?(?! you| i)(?: \w+){1,4} be"
    r" (?:shot|hanged|killed|executed|sterili[sz]ed|castrated|beaten|blown up|stoned|burned|burnt)",
    r"(?:kids?|children|babies|people|him|her|them) in(?:to)? (?:a )?(?:cages?|lockers?|ovens?)",
    r"(?:hurt|torture|drown|burn) (?:a |the |my )?(?:cat|dog|puppy|kitten)s?",
)
"""Questions whether to do what hurts somebody."""

_UNSPACED = re.compile(
    "死にたい|自殺|消えてしまいたい|リストカット|殺されそう|虐待され|レイプされ|想死|自杀|自殘|自残|죽고 ?싶|자살"
)
"""Phrases of languages that put no space between words, or inflect within them."""
_PHRASES = re.compile(rf"\b(?:{'|'.join((*_SELF_HARM, *_ABUSE, *_VIOLENCE, *_PERMISSION))})\b")

CRISIS_NOTE = (
    "I am leaving my role for a moment. I am only a program and cannot help with this, but what you write sounds serious, "
    "and nobody has to be alone with it. Please talk to somebody you trust, or to people who listen at any hour: "
    "findahelpline.com lists them for every country. If anybody is in danger now, call your emergency number (112, 911, 999)."
)
"""What is answered where the settings have no note of their own."""


def crisis_note(text: str, note: str | None = None) -> str | None:
    """Return what to answer, out of character, to a message about suicide, self-harm, abuse or violence that is meant, or that
    asks whether to hurt somebody.

    That is `note`, or else CRISIS_NOTE; None for all other messages.
    """
    text = normalise(text)
    # Disguises are read as words without accents, which some phrases have.
    ways = {" ".join(words(text)).replace("'", ""), *spoken(text)}
    return (note or CRISIS_NOTE) if any(map(_PHRASES.search, ways)) or _UNSPACED.search(text) else None
