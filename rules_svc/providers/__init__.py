"""Who can write an answer besides the composer: hosted models."""
