"""What ``readers.py`` reads: the clicks, and a file of every format that holds them."""
