"""Events that break the default contract, and such that only just keep it: what is tried on every way
in. A row is (what it is, the event's bytes, [(field, reason), ...]); no reasons: it is accepted."""
import json
import time

from service import event, ulid

NESTED = ('{}', '[]', '{"a":{"b":[1]}}', '["user-1"]')
REQUIRED = ("event_id", "user_id", "transaction_amount", "country", "device", "event_ts")
FIELDS = (*REQUIRED, "label")


def at(seconds, form="%Y-%m-%dT%H:%M:%SZ"):
    return time.strftime(form, time.gmtime(time.time() + seconds))


def spoilt(position, letter):
    good = ulid(77)
    return good[:position] + letter + good[position + 1:]


def refused():
    """Field, reason, and values as they stand in JSON."""
    quoted = json.dumps
    return (
        ("event_id", "ulid", [quoted(text) for text in (
            "", ulid(77)[:25], ulid(77) + "0", ulid(77).lower(), spoilt(20, "I"), spoilt(20, "L"),
            spoilt(20, "O"), spoilt(20, "U"), spoilt(0, "8"), spoilt(0, "Z"), spoilt(5, "-"),
            spoilt(5, "\u00e9"), " " + ulid(77)[:25], ulid(77)[:25] + "\n")]),
        ("event_id", "type", ["1", "1.5", "true"]),
        ("user_id", "pattern", [quoted(text) for text in (
            "", "bob", "user-", "user-1 ", " user-1", "User-1", "user-1\n", "user-1\x00", "user--1",
            "user-\u0663", "user-1\nuser-2")]),
        ("user_id", "length", [quoted("user-" + "1" * 60), quoted("x" * 65), quoted("\u00e9" * 65)]),
        ("user_id", "type", ["42", "false"]),
        ("user_id", "not_utf8", [r'"user-\ud800"', r'"user-\udc00\ud800"']),
        ("transaction_amount", "range", ["-0.01", "-1e-300", "5000.000001", "5001", "1e308", "-1e308"]),
        ("transaction_amount", "not_finite", ["1e999", "-1e999", "9" * 400]),
        ("transaction_amount", "type", ['"12.5"', '""', "true"]),
        ("country", "enum", ['"XX"', '"us"', '""', '"US "', '"U"', '"USA"', '"\u00dcS"']),
        ("country", "type", ["1", "true"]),
        ("device", "enum", ['"Web"', '"tv"', '"web\\u0000"']),
        ("device", "type", ["0", "false"]),
        ("event_ts", "future", [quoted(at(300)), quoted(at(86400)), str(int(time.time()) + 300),
                                quoted(at(7500, "%Y-%m-%dT%H:%M:%S+02:00")),
                                '"9999-12-31T23:59:59Z"']),
        ("event_ts", "timestamp", [quoted(text) for text in (
            "", "yesterday", "2026", "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z",
            "2026-01-32", "2026-01-01T24:00:00Z", "2016-12-31T23:59:60Z", "2026-01-01T00:60:00Z",
            "2026-01-01T00:00:00+24:00", "2026-01-01T00:00Z", "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00.1234567891Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z",
            "1767225600", "2026-01-01T00:00:00ZZ", "\uff12026-01-01")] + ["1e300", "-1e300"]),
        ("event_ts", "not_finite", ["1e999"]),
        ("event_ts", "type", ["true"]),
        ("label", "range", ["-1", "2", "9007199254740993", "1e300"]),
        ("label", "type", ['"1"', "0.5", "true", '""']),
        ("label", "not_finite", ["-1e999"]),
    )


def accepted():
    """Field, and values that are at an end of what is allowed, or another way to write it."""
    return (
        ("event_id", [json.dumps(spoilt(0, "7")), json.dumps("\\u0030" + ulid(78)[1:]).replace(
            "\\\\", "\\")]),
        ("user_id", ['"user-0"', json.dumps("user-" + "1" * 59), '"\\u0075ser-1"']),
        ("transaction_amount", ["0", "-0", "0.0", "5000", "5e3", "5000.000", "4999.999999", "1e-300"]),
        ("country", ['"US"', '"BR"', '"\\u0055S"']),
        ("device", ['"ios"', '"android"']),
        ("event_ts", [json.dumps(at(45)), json.dumps(at(-1, "%Y-%m-%d %H:%M:%S")),
                      json.dumps(at(3599, "%Y-%m-%dT%H:%M:%S+01:00")),
                      json.dumps(at(-1, "%Y-%m-%dT%H:%M:%S.123456789Z")),
                      json.dumps(at(-2, "%Y-%m-%dt%H:%M:%Sz")),
                      str(int(time.time())), str(int(time.time()) * 1000),
                      str(int(time.time()) * 1000000), f"{time.time():.3f}"]),
        ("label", ["null", "0", "1", "1.0", "1e0", "-0"]),
    )


class Maker:
    """Counts up, so that no two events have one id unless a row wants it."""

    def __init__(self, start):
        self.next = start

    def event(self, **changes):
        self.next += 1
        return event(self.next, **changes)

    def with_value(self, field, value):
        """A good event where `value`, as it stands, is the field's."""
        whole = json.dumps(self.event(**{field: "@"}))
        return whole.replace('"@"', value).encode()


def short(value):
    return value if len(value) <= 40 else value[:37] + "..."


def field_rows(maker):
    for field in REQUIRED:
        yield f"{field} missing", json.dumps(maker.event(**{field: ...})).encode(), [(field, "missing")]
        yield f"{field} null", maker.with_value(field, "null"), [(field, "null")]
    yield "label missing", json.dumps(maker.event(label=...)).encode(), []
    for field in FIELDS:
        for value in NESTED:
            yield f"{field} {value}", maker.with_value(field, value), [(field, "nested")]
        twice = json.dumps(maker.event())[:-1] + f', "{field}": null}}'
        yield f"{field} twice", twice.encode(), [(field, "duplicate_key")]
        yield (f"{field} not UTF-8", maker.with_value(field, '"@"').replace(b'"@"', b'"a\xff"'),
               [(field, "not_utf8")])
    for field, reason, values in refused():
        for value in values:
            yield f"{field} {short(value)}", maker.with_value(field, value), [(field, reason)]
    for field, values in accepted():
        for value in values:
            yield f"{field} {short(value)} is fine", maker.with_value(field, value), []


def whole_rows(maker):
    """What is wrong with the event as a whole."""
    good = json.dumps(maker.event())
    amount = good.replace("12.5", "@")
    for value in ("NaN", "Infinity", "-Infinity", "nan", "01", "+1", ".5", "1.", "1e", "0x10", "1_0",
                  "", "None", "True", "'1'", "- 1", "1 2"):
        yield f"an amount of {value!r}", amount.replace("@", value).encode(), [(None, "not_json")]
    for text in ("nope", "[]", "[" + good + "]", "null", "1", '"' + "a" * 10 + '"', "{", good[:-1],
                 good[:-1] + ",}", good + "}", good + good, good + " x", good.replace('"', "'"),
                 good[:-1] + ', "note": "a\tb"}', good[:-1] + r', "note": "\x"}',
                 good[:-1] + r', "note": "\u12"}', good[:-1] + ' /* a remark */}', "\ufeff!" + good,
                 good[:-1] + ', "deep": ' + "[" * 99 + "]" * 99 + "}"):
        yield f"{short(text)!r} of {len(text)}", text.encode(), [(None, "not_json")]
    yield "{}", b"{}", [(field, "missing") for field in REQUIRED]
    yield ("64 KiB and a byte", good[:-1].encode() + b" " * (65537 - len(good)) + b"}",
           [(None, "too_long")])
    yield ("64 KiB", json.dumps(maker.event())[:-1].encode() + b" " * (65536 - len(good)) + b"}", [])
    yield ("a name not UTF-8", json.dumps(maker.event())[:-1].encode() + b', "\xff": 1}',
           [(None, "not_utf8")])
    yield ("a remark not UTF-8", json.dumps(maker.event())[:-1].encode() + b', "note": "\xc0\x80"}',
           [(None, "not_utf8")])
    yield "a field more", json.dumps({**maker.event(), "note": {"a": [1, None]}}).encode(), []
    yield ("four things at once",
           json.dumps(maker.event(country="XX", device=..., label=7, user_id=None)).encode(),
           [("user_id", "null"), ("device", "missing"), ("country", "enum"), ("label", "range")])


def rows(start):
    maker = Maker(start)
    return [*field_rows(maker), *whole_rows(maker)]
