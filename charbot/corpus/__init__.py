"""The corpus: tables of Lines, split by episode, and the training examples made of them."""
