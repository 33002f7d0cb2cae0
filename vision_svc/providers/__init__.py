"""What can look at a photo: today the offline model."""
