"""The bar over all steps of a job, as scripts call it. Progress is counted elsewhere, so it only remembers its total."""


class TotalTQDM:
    """Takes the calls that scripts make on a progress bar."""

    def __init__(self) -> None:
        self.total = 0

    def reset(self) -> None:
        """Begin anew."""
        self.total = 0

    def update(self) -> None:
        """A step is done; the state of the job has counted it."""

    def updateTotal(self, new_total: int) -> None:
        """The number of steps is known now."""
        self.total = new_total

    def clear(self) -> None:
        """The end."""
        self.total = 0
