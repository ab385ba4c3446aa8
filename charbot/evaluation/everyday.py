"""Everyday messages to a chatbot: greetings, questions, nonsense, insults, other languages."""

from importlib import resources


def everyday_messages() -> list[str]:
    """Return the messages of `everyday.txt`."""
    return resources.files("charbot").joinpath("evaluation/everyday.txt").read_text("utf-8").splitlines()
