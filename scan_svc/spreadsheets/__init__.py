"""Tables that people open with a spreadsheet: what their cells may hold."""
