"""Alarms: signs of a wrong shape that show without knowing the true one."""
