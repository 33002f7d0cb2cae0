"""What every service of the mesh shares, and nothing a single one needs."""
