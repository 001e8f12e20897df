"""Single cells: found, checked, named, split, selected."""
