"""Vision loads a photo, checks and cleans it, and classifies what it shows."""
