"""Users who are gone, and their data, which follows."""
