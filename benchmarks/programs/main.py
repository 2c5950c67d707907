"""Small programs that measure themselves: what Python and stable storage cost inside a canister.

Each answers the instructions between its first and its last line, so the cost of the message is not in it.
"""

from kybra import Record, StableBTreeMap, Vec, blob, ic, nat64, query, text, update, void

entries = StableBTreeMap[blob, blob](memory_id=1, max_key_size=16, max_value_size=300)

GOLDEN_RATIO = 0x9E3779B97F4A7C15
VALUE_BYTES = 300


class Question(Record):
    number: nat64
    text: text


class Answer(Record):
    number: nat64
    words: Vec[text]


def key(number: int) -> bytes:
    """16 bytes in no order: consecutive numbers lie far apart in the tree."""
    return (number * GOLDEN_RATIO % (1 << 64)).to_bytes(8, "big") + number.to_bytes(8, "big")


@update
def empty() -> void:
    pass


@update
def exchange(question: Question) -> Answer:
    return {"number": question["number"] + 1, "words": [question["text"], "answered"]}


@update
def mirror(data: blob) -> blob:
    return data


@query
def empty_query() -> void:
    pass


@update
def spin(instructions: nat64) -> nat64:
    """Work until the message has used so many instructions; answers how many it has then."""
    used = 0
    while used < instructions:
        used = ic.performance_counter(0)
    return used


# The counter benchmark: what others publish figures of (benchmarks/counter_benchmark.py).


@update
def run_loop() -> nat64:
    start = ic.performance_counter(0)
    last, this = 0, 1
    for _ in range(25):
        last, this = this, last + this
    return ic.performance_counter(0) - start


@update
def run_fib() -> nat64:
    def fib(n: int) -> int:
        if n <= 1:
            return n
        return fib(n - 1) + fib(n - 2)

    start = ic.performance_counter(0)
    fib(20)
    return ic.performance_counter(0) - start


@update
def run_ackermann() -> nat64:
    def ackermann(m: int, n: int) -> int:
        if m == 0:
            return n + 1
        if n == 0:
            return ackermann(m - 1, 1)
        return ackermann(m - 1, ackermann(m, n - 1))

    start = ic.performance_counter(0)
    ackermann(3, 6)
    return ic.performance_counter(0) - start


@update
def run_sum() -> nat64:
    start = ic.performance_counter(0)
    total = 0
    for number in range(1, 10_001):
        total += number
    return ic.performance_counter(0) - start


@update
def run_strings() -> nat64:
    start = ic.performance_counter(0)
    line = ""
    for number in range(100):
        line += str(number)
    line[:50]
    return ic.performance_counter(0) - start


@update
def run_list() -> nat64:
    start = ic.performance_counter(0)
    numbers = []
    for number in range(500):
        numbers.append(500 - number)
    numbers.sort()
    return ic.performance_counter(0) - start


@update
def run_dict() -> nat64:
    start = ic.performance_counter(0)
    table = {}
    for number in range(500):
        table[str(number)] = number * number
    total = 0
    for number in range(500):
        total += table[str(number)]
    return ic.performance_counter(0) - start


@update
def fill(first: nat64, count: nat64) -> void:
    value = bytes(VALUE_BYTES)
    for number in range(first, first + count):
        entries.insert(key(number), value)


@update
def get(number: nat64) -> nat64:
    wanted = key(number)
    start = ic.performance_counter(0)
    entries.get(wanted)
    return ic.performance_counter(0) - start


@update
def put(number: nat64) -> nat64:
    wanted, value = key(number), bytes(VALUE_BYTES)
    start = ic.performance_counter(0)
    entries.insert(wanted, value)
    return ic.performance_counter(0) - start
