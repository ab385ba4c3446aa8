"""Alembic migrations, for databases of older versions."""
