"""Generating a persona's replies: text in, text and scores out."""
