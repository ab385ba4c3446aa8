"""Personas and bases on disk: bundles, and the library that finds them."""
