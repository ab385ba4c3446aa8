"""Fitting: scripts in, bundles out."""
