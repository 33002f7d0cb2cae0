"""Many photos at once: a sheet of their addresses, or a zip of them, becomes a sheet with what each shows."""
