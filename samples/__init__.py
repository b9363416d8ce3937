"""Sounds, images and volumes that the project makes itself; `make.py` makes them again."""
