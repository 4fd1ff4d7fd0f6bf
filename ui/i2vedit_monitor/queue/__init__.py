"""The list of jobs: its model for Qt, how a row is drawn, and the panel around it."""
