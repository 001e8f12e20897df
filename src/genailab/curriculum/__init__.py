"""The practice content: a folder a session, a folder an exercise. Read by `genailab.learn`, not imported."""
