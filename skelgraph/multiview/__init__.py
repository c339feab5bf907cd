"""Several cameras: recordings, whether their views agree, and joints refined as one body."""
