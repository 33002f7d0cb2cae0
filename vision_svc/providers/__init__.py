"""What can look at a photo: the offline model, and hosted ones."""
