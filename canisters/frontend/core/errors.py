"""Why an asset is refused."""


class AssetRefused(ValueError):
    """An asset that cannot be served; `field` of what was sent, and what is wrong with it."""

    def __init__(self, field: str, value: str, problem: str) -> None:
        super().__init__(f"{field} {value!r}: {problem}")
        self.field = field
        self.value = value
        self.problem = problem
