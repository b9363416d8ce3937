"""Sounds, an image, a volume and a video that the project makes itself; `make.py` makes them again."""
