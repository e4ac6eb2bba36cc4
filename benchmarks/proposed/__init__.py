"""What `proposals.py` and `fit_proposals.py` share: which true targets proposals find."""
