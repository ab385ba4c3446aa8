"""Well-known experiments with LSTMs, as their authors describe them, to be set beside what they published."""
