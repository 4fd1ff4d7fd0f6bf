"""Looks at what was delivered: plate and result from EXR, through a display transform, out of a cache that reads ahead."""
