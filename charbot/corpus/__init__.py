"""The corpus: Lines in tables, split by episode, and the exchanges in them."""
