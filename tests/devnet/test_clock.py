"""The network's time as a function of the machine's."""

from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devnet.clock import MAX_SPEED, MAX_TIME_NS, InvalidTime, NetworkClock
from devnet.errors import StateFolderError
from devnet.state_folder import CLOCK_FILE
from tests.devnet.http.fake_replica import ManualClock

SECOND = 10**9
START = 1_800_000_000 * SECOND
SPEEDS = st.fractions(1, MAX_SPEED, max_denominator=1_000)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(0, 10**15)),
        st.tuples(st.just("advance"), st.integers(0, 10**15)),
        st.tuples(st.just("stop and start"), SPEEDS),
        st.tuples(st.just("kill and start"), SPEEDS),
    ),
    max_size=20,
)


def test_it_is_the_machines_unless_told_otherwise(tmp_path: Path) -> None:
    machine = ManualClock(START)
    clock = NetworkClock(machine, folder=tmp_path)
    assert clock.now_ns() == START
    machine.now -= 5
    assert clock.now_ns() == START - 5
    assert not (tmp_path / CLOCK_FILE).exists()


def test_it_runs_faster_exactly(tmp_path: Path) -> None:
    machine = ManualClock(START)
    clock = NetworkClock(machine, Fraction(3, 2))
    machine.now += 2 * SECOND
    assert clock.now_ns() == START + 3 * SECOND
    assert clock.after(2 * SECOND) == START + 6 * SECOND
    assert clock.at(START) == START


def test_it_is_set_forward_and_never_back() -> None:
    machine = ManualClock(START)
    clock = NetworkClock(machine)
    assert clock.advance(SECOND) == START + SECOND
    with pytest.raises(InvalidTime, match="does not go back"):
        clock.advance(-1)
    with pytest.raises(InvalidTime, match="ends at"):
        clock.advance(MAX_TIME_NS)
    assert clock.now_ns() == START + SECOND


def test_a_stopped_network_ages_as_the_machine_does(tmp_path: Path) -> None:
    machine = ManualClock(START)
    clock = NetworkClock(machine, Fraction(60), tmp_path)
    machine.now += SECOND
    clock.stop()
    machine.now += SECOND
    assert NetworkClock(machine, folder=tmp_path).now_ns() == START + 61 * SECOND


@settings(max_examples=40)
@given(steps=STEPS)
def test_it_never_goes_back_whatever_happens_to_the_node(
    steps: list[tuple[str, int | Fraction]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder, machine = tmp_path_factory.mktemp("clock"), ManualClock(START)
    clock, seen = NetworkClock(machine, folder=folder), 0
    for what, value in steps:
        if what == "wait":
            machine.now += int(value)
        elif what == "advance":
            expected = clock.now_ns() + int(value)
            try:
                assert clock.advance(int(value)) == expected
            except InvalidTime:
                assert expected >= MAX_TIME_NS
        else:
            if what == "stop and start":
                clock.stop()
            clock = NetworkClock(machine, Fraction(value), folder)
        assert clock.now_ns() >= seen
        seen = clock.now_ns()


@pytest.mark.parametrize("speed", [Fraction(0), Fraction(99, 100), Fraction(MAX_SPEED) + 1, Fraction(-1)])
def test_other_speeds_are_refused(speed: Fraction) -> None:
    with pytest.raises(InvalidTime, match="speed must be"):
        NetworkClock(ManualClock(START), speed)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"machine_ns": "1", "network_ns": "1", "speed": "1/0"}'])
def test_a_damaged_file_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / CLOCK_FILE).write_text(text)
    with pytest.raises(StateFolderError, match=CLOCK_FILE):
        NetworkClock(ManualClock(START), folder=tmp_path)
