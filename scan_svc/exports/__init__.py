"""A user's history as a spreadsheet, and all that is kept of them as a zip."""
