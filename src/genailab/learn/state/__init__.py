"""The learner's workspace and what is remembered in it."""
