"""What users ask for that takes longer than a call, other than scans: batches, exports, clips, reminders."""
