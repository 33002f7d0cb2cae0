"""What looks at a photo: hosted models and the offline one, in a chain."""
