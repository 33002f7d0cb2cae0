"""Photos go with their scans: what is deleted leaves none, nor what ended without an answer, nor a late upload."""
