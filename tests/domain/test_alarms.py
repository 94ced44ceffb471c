"""Alarms start late, end late, and are told once."""

from datetime import datetime

import pytest

from tpkit.domain.alarms import RULES, Alarm, AlarmBook, Condition, Edge

LOW = Condition("fuel_low")


@pytest.fixture
def step(now: datetime):
    book = AlarmBook()

    def take(seconds: float, *conditions: Condition, unknown: str = "") -> list[tuple[str, bool]]:
        edges = book.step(
            list(conditions), now=now, mono_ms=int(seconds * 1000), unknown=frozenset(unknown.split())
        )
        return [(edge.alarm.code, edge.raised) for edge in edges]

    take.book = book
    return take


def test_a_condition_must_last_before_it_is_an_alarm(step) -> None:
    assert step(0, LOW) == []
    assert step(29, LOW) == []
    assert step(30, LOW) == [("fuel_low", True)]
    assert step(31, LOW) == []


def test_a_condition_that_comes_and_goes_starts_again(step) -> None:
    step(0, LOW)
    step(20)
    assert step(40, LOW) == []
    assert step(70, LOW) == [("fuel_low", True)]


def test_an_alarm_must_be_gone_for_a_while_before_it_ends(step) -> None:
    step(0, LOW)
    step(30, LOW)
    assert step(40) == []
    assert step(99) == []
    assert step(100) == [("fuel_low", False)]


def test_silence_does_not_end_an_alarm(step) -> None:
    step(0, LOW)
    step(30, LOW)
    assert step(500, unknown="fuel_low fuel_empty_soon") == []
    assert [alarm.code for alarm in step.book.active] == ["fuel_low"]


def test_silence_of_one_does_not_hide_another(step) -> None:
    stop = Condition("genset_shutdown", "low_oil_pressure")

    assert step(0, stop, unknown="genset_shutdown") == [("genset_shutdown", True)]


def test_the_same_alarm_of_two_devices_is_two_alarms(step) -> None:
    step(0, Condition("device_silent", "gx"), Condition("device_silent", "genset"))
    assert len(step(60, Condition("device_silent", "gx"), Condition("device_silent", "genset"))) == 2
    assert step(120, Condition("device_silent", "gx")) == []
    assert step(130, Condition("device_silent", "gx")) == [("device_silent", False)]


def test_the_most_severe_stands_first(step) -> None:
    step(0, LOW, Condition("genset_shutdown", "emergency_stop"))
    step(30, LOW, Condition("genset_shutdown", "emergency_stop"))

    assert [alarm.severity for alarm in step.book.active] == [3, 2]


def test_alarms_from_before_a_restart_are_not_told_again_but_end_in_time(now: datetime) -> None:
    book = AlarmBook([Alarm("fuel_low", "", "", 2, now, 0)])

    assert book.step([LOW], now=now, mono_ms=0) == []
    book.step([], now=now, mono_ms=1_000)
    assert book.step([], now=now, mono_ms=61_000) == [
        Edge(Alarm("fuel_low", "", "", 2, now, 0), raised=False)
    ]


def test_every_rule_has_a_severity_that_the_panel_knows() -> None:
    assert {rule.severity for rule in RULES.values()} <= {1, 2, 3}
