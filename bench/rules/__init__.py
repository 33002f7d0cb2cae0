"""How well the rule book is found and followed: `make eval-rules`."""
