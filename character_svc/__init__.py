"""Character rewards well-sorted recyclables: a user has each character at most once."""
