"""For those who write exercises: the gate, and the pictures of lessons."""
