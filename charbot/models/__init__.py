"""The LSTM language models, and what a persona adds to them. Needs torch."""
