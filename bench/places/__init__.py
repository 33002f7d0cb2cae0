"""What places cost: a million of them searched, a hundred thousand imported."""
