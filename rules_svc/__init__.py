"""Rules knows how each kind of waste is disposed of, and where; its book is data, immutable in memory."""
