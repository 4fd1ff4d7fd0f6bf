"""Shots prepared on a Ray cluster, every chunk a task. The server process imports none of this but `at_start`."""
