"""The notebook face of the practice."""
