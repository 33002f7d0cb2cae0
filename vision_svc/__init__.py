"""Vision: loads a photo, checks and cleans it, and tells what it shows."""
