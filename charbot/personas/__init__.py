"""Personas and bases on disk: bundles, and where they are found."""
