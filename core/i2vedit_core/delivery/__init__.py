"""What is delivered: the composite over the plate, the EXR sequence and its ticket, contact sheet and preview."""
