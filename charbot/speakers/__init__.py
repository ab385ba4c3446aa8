"""Who would have said it: models that tell speakers apart, for `charbot who` and both bots."""
