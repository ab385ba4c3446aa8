"""Speaker identification: models that tell who would have said a line, for `charbot who` and both bots."""
