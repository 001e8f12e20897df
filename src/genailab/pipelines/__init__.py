"""Whole jobs: from the user's file to a folder with a model, numbers and a report."""
