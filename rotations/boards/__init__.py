"""What pages show of the rota: read models that change nothing."""

from rotations.boards.drawing import Bar, Day, Lane, Week, local_days, weeks
from rotations.boards.present import Seat, in_words, people, seats

__all__ = ["Bar", "Day", "Lane", "Seat", "Week", "in_words", "local_days", "people", "seats", "weeks"]
