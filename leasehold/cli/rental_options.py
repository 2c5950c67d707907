"""The options of `rental quote` and `rental create`: what is asked for."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click
from pydantic import ValidationError

from leasehold.cli.amounts import DURATION, Token
from leasehold.errors import UsageError
from leasehold.models import TASKS, Hyperparameters, RentalArgs
from leasehold.roles import renter

_DEFAULTS = Hyperparameters()


@dataclass(frozen=True)
class Request:
    """What a renter asks for, as typed."""

    listing: str
    datasets: tuple[str, ...]
    policy: str
    max_rate: str
    max_duration: int
    max_price: str | None
    queue_timeout: int
    hyperparameters: dict[str, Any]

    def arguments(self, token: Token) -> RentalArgs:
        """The arguments of `quote_rental` and `create_rental`.

        Raises:
            UsageError: an amount or a hyperparameter is out of bounds.
        """
        try:
            hyperparameters = Hyperparameters.model_validate(self.hyperparameters)
        except ValidationError as error:
            problem = error.errors(include_url=False)[0]
            raise UsageError(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}") from error
        return renter.rental_args(
            listing=self.listing,
            datasets=self.datasets,
            hyperparameters=hyperparameters,
            policy=self.policy,
            max_rate_per_second=token.read(self.max_rate),
            max_duration_s=self.max_duration,
            max_price=None if self.max_price is None else token.read(self.max_price),
            queue_timeout_s=self.queue_timeout,
        )


_OPTIONS: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...] = (
    click.option("--listing", required=True, metavar="ID", help="The model."),
    click.option("--dataset", "datasets", multiple=True, required=True, metavar="ID", help="Repeatable."),
    click.option("--policy", default="simulated", show_default=True, help="See `leasehold policy list`."),
    click.option("--max-rate", required=True, metavar="AMOUNT", help="Highest rate per second."),
    click.option("--max-duration", type=DURATION, default="1h", show_default=True),
    click.option("--max-price", metavar="AMOUNT", help="Highest total; the quoted one by default."),
    click.option("--queue-timeout", type=DURATION, default="1h", show_default=True, help="Then it expires."),
    click.option("--task", type=click.Choice(TASKS), default=_DEFAULTS.task, show_default=True),
    click.option("--epochs", type=int, default=_DEFAULTS.epochs, show_default=True),
    click.option("--learning-rate", type=float, default=_DEFAULTS.learning_rate, show_default=True),
    click.option("--batch-size", type=int, default=_DEFAULTS.batch_size, show_default=True),
    click.option("--max-length", type=int, default=_DEFAULTS.max_length, show_default=True, help="Tokens."),
    click.option("--lora-rank", type=int, default=_DEFAULTS.lora_rank, show_default=True),
    click.option("--lora-alpha", type=int, default=_DEFAULTS.lora_alpha, show_default=True),
    click.option("--lora-dropout", type=float, default=_DEFAULTS.lora_dropout, show_default=True),
    click.option("--seed", type=int, default=_DEFAULTS.seed, show_default=True),
)


def request_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options, and call it with a `Request` as `request`."""

    @wraps(command)
    def collected(*args: Any, **options: Any) -> None:
        hyperparameters = {name: options.pop(name) for name in Hyperparameters.model_fields}
        command(*args, request=Request(**options, hyperparameters=hyperparameters))

    decorated: Callable[..., Any] = collected
    for option in reversed(_OPTIONS):
        decorated = option(decorated)
    return decorated
