"""Read raw script files into `Line` values."""
