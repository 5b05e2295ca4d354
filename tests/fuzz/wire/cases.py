"""Cases of the fuzz: streams of bytes, by class, and how they are cut into segments."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.attacks import test_connection, test_framing, test_target
from tests.fuzz.wire.grammar import END, ODD_FIELDS, Spoken, speak, speak_oddly

_LONGEST = 2_000  # bytes; the attacks on limits are slow, and say nothing here

# Every attack that tests/attacks sends, to be mixed and mutated.
_CORPUS = tuple(
    attack.request
    for module in (test_connection, test_framing, test_target)
    for attack in module.REFUSED.values()
    if len(attack.request) < _LONGEST
)

_SPLICES = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b";",
    b",",
    b"0",
    b"\x0b",
    b"\x85",
    b"_",
    b"\r\n\r\n",
    b"\r\n ",
    b"0\r\n\r\n",
    b"X-Cognito-Sub: forged\r\n",
    b"Authorization: Bearer %T3%\r\n",
    b"GET /smuggled HTTP/1.1\r\nHost: in\r\n\r\n",
    *(field + b"\r\n" for field in ODD_FIELDS),
)


@dataclass(frozen=True, slots=True)
class Case:
    """What one client sends.

    Attributes:
        kind: The class, for the count.
        raw: All bytes, tokens by name.
        spoken: The requests in it where all are well-formed; None where nobody can say.
    """

    kind: str
    raw: bytes
    spoken: tuple[Spoken, ...] | None


def make_case(random: Random, number: int) -> Case:
    """Make the next case; its targets contain `number`."""
    make = random.choices(_KINDS, _WEIGHTS)[0]
    return make(random, number * 10)


def cut(random: Random, raw: bytes) -> list[bytes]:
    """Cut into segments: often whole, often a few, sometimes many."""
    count = random.choices((0, 1, 2, 5, 40), (4, 3, 3, 2, 0.3))[0]
    if count == 0 or len(raw) < 2:
        return [raw]
    places = sorted(random.randrange(1, len(raw)) for _ in range(count))
    return [raw[i:j] for i, j in zip([0, *places], [*places, len(raw)], strict=True) if i < j]


def _well_formed(random: Random, number: int) -> Case:
    spoken = tuple(speak(random, number + i) for i in range(random.randrange(1, 5)))
    return Case("well-formed", b"".join(each.raw for each in spoken) + END, spoken)


def _mutated(random: Random, number: int) -> Case:
    raw = b"".join(speak(random, number + i).raw for i in range(random.randrange(1, 3)))
    return Case("mutated", _mutate(random, raw) + END, None)


def _odd(random: Random, number: int) -> Case:
    raw = speak_oddly(random, number) + speak(random, number + 1).raw
    return Case("odd", raw + END, None)


def _odd_mutated(random: Random, number: int) -> Case:
    raw = _mutate(random, speak_oddly(random, number)) + speak(random, number + 1).raw
    return Case("odd-mutated", raw + END, None)


def _crossed(random: Random, number: int) -> Case:
    first = speak(random, number).raw + speak_oddly(random, number + 1)
    second = speak(random, number + 2).raw + speak(random, number + 3).raw
    here, there = random.randrange(len(first)), random.randrange(len(second))
    return Case("crossed", first[:here] + second[there:] + END, None)


def _truncated(random: Random, number: int) -> Case:
    raw = speak(random, number).raw + speak(random, number + 1).raw
    return Case("truncated", raw[: random.randrange(1, len(raw))], None)


def _hostile(random: Random, number: int) -> Case:
    raw = b"".join(random.choice(_CORPUS) for _ in range(random.randrange(1, 3)))
    if random.random() < 0.5:
        raw = _mutate(random, raw)
    return Case("hostile", speak(random, number).raw + raw + END, None)


def _mutate(random: Random, raw: bytes) -> bytes:
    for _ in range(random.choices((1, 2, 3, 8), (5, 3, 2, 1))[0]):
        raw = random.choice(_MUTATIONS)(random, raw)
    return raw


def _flip(random: Random, raw: bytes) -> bytes:
    at = random.randrange(len(raw) or 1)
    return (
        raw[:at] + bytes(b ^ (1 << random.randrange(8)) for b in raw[at : at + 1]) + raw[at + 1 :]
    )


def _replace(random: Random, raw: bytes) -> bytes:
    at = random.randrange(len(raw) or 1)
    return raw[:at] + bytes([random.randrange(256)]) + raw[at + 1 :]


def _insert(random: Random, raw: bytes) -> bytes:
    at = random.randrange(len(raw) + 1)
    return raw[:at] + random.choice(_SPLICES) + raw[at:]


def _insert_line(random: Random, raw: bytes) -> bytes:
    ends = [i for i in range(len(raw)) if raw[i : i + 1] == b"\n"] or [0]
    at = random.choice(ends) + 1
    return raw[:at] + random.choice(_SPLICES) + raw[at:]


def _delete(random: Random, raw: bytes) -> bytes:
    at = random.randrange(len(raw) or 1)
    return raw[:at] + raw[at + random.randrange(1, 4) :]


def _repeat(random: Random, raw: bytes) -> bytes:
    at = random.randrange(len(raw) or 1)
    piece = raw[at : at + random.randrange(1, 40)]
    return raw[:at] + piece + raw[at:]


_MUTATIONS: tuple[Callable[[Random, bytes], bytes], ...] = (
    _flip,
    _replace,
    _insert,
    _insert_line,
    _delete,
    _repeat,
)
_KINDS: tuple[Callable[[Random, int], Case], ...] = (
    _well_formed,
    _mutated,
    _odd,
    _odd_mutated,
    _crossed,
    _truncated,
    _hostile,
)
_WEIGHTS = (2, 6, 3, 3, 2, 0.5, 3)
