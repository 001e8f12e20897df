"""The terminal: watching files, showing verdicts, hints and quizzes."""
