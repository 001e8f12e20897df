"""What an exercise's ``check.py`` is written with, and the forked child in which it runs."""

from genailab.learn.checking.attempt import Attempt, Check, CheckFailed, Mistake, check, checks_of

__all__ = ["Attempt", "Check", "CheckFailed", "Mistake", "check", "checks_of"]
