"""What the measured figures mean at other sizes: queueing and autoscaling, simulated."""
