"""What a user of the whole mesh waits for, and what that costs."""
