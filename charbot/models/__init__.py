"""The LSTM language models, and what a persona adds to them. Needs torch."""

from threading import Lock

LOADING = Lock()
"""Held by whoever loads a model, and imports torch for it: two threads that import torch side by side can wait for one
another, of which Python lets one fail."""
