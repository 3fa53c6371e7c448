# What needs no files of the host: the standard library is inside the module.
import base64, collections, csv, datetime, decimal, hashlib, io, json, math, os, random, re, struct, sys, time, zlib

assert sys.version_info[:2] == (3, 12), sys.version
assert sys.argv[1:] == ["one", "zwei €"], sys.argv
assert os.environ["NAME"] == "value"
assert json.loads(json.dumps({"a": [1, 2.5, None, "ü"]})) == {"a": [1, 2.5, None, "ü"]}
assert hashlib.sha256(b"abc").hexdigest().startswith("ba7816bf")
assert hashlib.blake2b(b"abc").hexdigest().startswith("ba80a53f")
assert zlib.decompress(zlib.compress(b"x" * 1000)) == b"x" * 1000
assert re.sub(r"(\w+) (\w+)", r"\2 \1", "one two") == "two one"
assert decimal.Decimal("0.1") * 3 == decimal.Decimal("0.3")
assert datetime.date(2024, 2, 29) + datetime.timedelta(days=366) == datetime.date(2025, 3, 1)
assert struct.pack("<dI", math.pi, 7) == bytes.fromhex("182d4454fb21094007000000")
assert list(csv.reader(io.StringIO('a,"b,c"\n'))) == [["a", "b,c"]]
assert collections.Counter("abracadabra").most_common(1) == [("a", 5)]
assert base64.b64decode(base64.b64encode(bytes(range(256)))) == bytes(range(256))
assert len(os.urandom(16)) == 16 and 0 <= random.random() < 1
assert sorted(random.sample(range(100), 100)) == list(range(100))
before = time.monotonic()
time.sleep(0.01)
assert time.monotonic() - before >= 0.01 and time.time() >= 946684800
assert not any(s.isatty() for s in (sys.stdin, sys.stdout, sys.stderr))
try:
    open("missing")
except FileNotFoundError as e:
    assert e.errno == 44, e
else:
    raise AssertionError("missing opens")
for line in sys.stdin:
    print(line.rstrip()[::-1])
print("done", file=sys.stderr)
sys.exit(3)
