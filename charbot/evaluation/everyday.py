"""What people say to a chatbot on any day: greetings, questions, nonsense, insults, other languages."""

from importlib import resources


def everyday_messages() -> list[str]:
    """The messages of `everyday.txt`."""
    return resources.files("charbot").joinpath("evaluation/everyday.txt").read_text("utf-8").splitlines()
