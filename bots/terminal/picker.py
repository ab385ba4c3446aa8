"""Picks a persona from a list."""

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import WordCompleter

from charbot.errors import BundleError
from charbot.personas.library import Library


def pick(library: Library) -> str | None:
    """The persona that the user picks by number or name; None where the user leaves."""
    cards = sorted(((card.show, card.name) for _, card in library.cards()), key=lambda pair: pair)
    if not cards:
        raise BundleError("no personas are installed; fit one with `charbot train`")
    names = [name for _, name in cards]
    for number, (show, name) in enumerate(cards, start=1):
        if number == 1 or cards[number - 2][0] != show:
            print(f"\n{show}")
        print(f"  {number:3}  {name}")
    session: PromptSession[str] = PromptSession(completer=WordCompleter(names, ignore_case=True, sentence=True))
    while True:
        try:
            answer = session.prompt("\nWho do you want to talk to? (number or name) ").strip()
        except (KeyboardInterrupt, EOFError):
            return None
        if answer.isdecimal() and 1 <= int(answer) <= len(names):
            return names[int(answer) - 1]
        if answer:
            try:
                library.find(answer)
            except BundleError as error:
                print(error)
            else:
                return answer
