"""The rule book without a photo: items, rules, places, buildings, characters."""
