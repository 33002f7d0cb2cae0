"""What a request must be before a servicer sees it: its size, its texts, its fields' rules."""
