"""The trainer's commands, one module each; `pointmask.cli` names them by import strings."""
