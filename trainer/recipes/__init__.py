"""Well-known LSTM experiments, repeated as their authors describe them, for comparison with the published results."""
