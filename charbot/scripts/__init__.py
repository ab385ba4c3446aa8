"""Scripts: raw files in, Lines out."""
