"""What the window shows, as plain Python that knows neither Qt nor the network: facts, changes, and who wants to hear of them."""
