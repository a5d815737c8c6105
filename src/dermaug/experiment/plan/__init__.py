"""What an experiment asks for: its jobs, and which arm is compared with which."""
