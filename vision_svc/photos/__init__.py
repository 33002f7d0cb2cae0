"""Photos: loaded, checked, cleaned and stored again."""
