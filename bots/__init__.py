"""Frontends: they load a persona and show its replies."""
