"""The client in asyncio or trio. `make gen` writes the blocking one from it."""
