"""One's own account: signing in, staying so, what is kept of oneself."""
