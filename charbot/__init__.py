"""charbot: a chatbot that talks like a TV character."""

__version__ = "0.1.0"
