"""Metrics of language models, replies and personas."""
