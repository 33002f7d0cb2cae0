"""Auth knows who users are: accounts, sessions, and the tokens that the edge believes."""
