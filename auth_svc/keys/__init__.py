"""The keys that sign access tokens: made, sealed, kept, rotated, published."""
