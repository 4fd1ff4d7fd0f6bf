"""Pictures in and out: probing, frame-exact decode, the edited frame, timecode, the fit to a model's size. Torch-free."""
