"""Training: from scripts to bundles."""
