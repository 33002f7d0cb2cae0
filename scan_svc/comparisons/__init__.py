"""Past scans once more by another model or rule book, for operators; users notice nothing of it."""
