"""`python -m sigconv_cli`."""

from .main import main

main()
