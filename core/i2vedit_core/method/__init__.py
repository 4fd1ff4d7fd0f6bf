"""The I2VEdit method (arXiv 2405.16537), one file per section of the paper's way: what follows what stands in `propagate.py`."""
