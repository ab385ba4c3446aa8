"""The catalogue of public scripts, and samples of ours: data only."""
