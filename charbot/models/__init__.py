"""The LSTM language models, and what a persona adds to them. Needs torch."""

from threading import Lock

LOADING = Lock()
"""Lock to hold while loading a model, which imports torch: two threads importing torch at once can deadlock, and Python then
makes one of the imports fail."""
