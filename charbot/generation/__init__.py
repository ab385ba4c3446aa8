"""Replies: what a persona answers. Text in, text and scores out."""
