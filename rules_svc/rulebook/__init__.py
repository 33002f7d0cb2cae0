"""The rule book: taxonomy, rules, situations, regions. Pure."""
