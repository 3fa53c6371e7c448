# What needs a writable folder, /folder, in which this script is.
import errno, filecmp, glob, json, os, pathlib, shutil, stat, tempfile, zipfile

work = pathlib.Path("/folder")
os.environ["TMPDIR"] = "/folder"


def fails(number, function, *args, **named):
    try:
        function(*args, **named)
    except OSError as e:
        assert e.errno == number, (e, number)
    else:
        raise AssertionError(f"{function} {args} succeeds")


# Files
(work / "a.json").write_text(json.dumps({"key": "wörter"}), encoding="utf-8")
with open(work / "a.json", encoding="utf-8") as f:
    assert json.load(f) == {"key": "wörter"}
with open(work / "lines", "w+", encoding="ascii") as f:
    f.writelines(f"line {i}\n" for i in range(10000))
    f.seek(0)
    assert sum(1 for _ in f) == 10000
    size = f.tell()
assert os.path.getsize(work / "lines") == size
with open(work / "lines", "r+b") as f:
    f.truncate(100)
    f.seek(0, os.SEEK_END)
    assert f.tell() == 100
    f.seek(10)
    f.write(b"X")
    f.seek(10)
    assert f.read(1) == b"X"
with open(work / "lines", "ab") as f:
    assert f.write(b"tail") == 4
assert (work / "lines").read_bytes()[-4:] == b"tail"
fails(errno.EEXIST, open, work / "lines", "x")
fails(errno.EISDIR, open, work)
fails(errno.ENOENT, open, work / "no" / "file", "w")
fails(errno.ENOTDIR, os.listdir, work / "lines")

# Folders
(work / "tree" / "one" / "two").mkdir(parents=True)
for i in range(20):
    (work / "tree" / "one" / f"{i:02}.txt").write_text(str(i))
walked = [(d, sorted(s), len(f)) for d, s, f in os.walk(work / "tree")]
assert walked == [("/folder/tree", ["one"], 0), ("/folder/tree/one", ["two"], 20), ("/folder/tree/one/two", [], 0)], walked
assert len(glob.glob("/folder/tree/**/*.txt", recursive=True)) == 20
assert sorted(p.name for p in (work / "tree").rglob("1?.txt")) == [f"1{i}.txt" for i in range(10)]
with os.scandir(work / "tree" / "one") as entries:
    found = {e.name: (e.is_dir(), e.stat().st_size) for e in entries}
assert found["two"][0] and found["15.txt"] == (False, 2) and len(found) == 21
fails(errno.ENOTEMPTY, os.rmdir, work / "tree")
shutil.copytree(work / "tree", work / "copy")
assert not filecmp.dircmp(work / "tree", work / "copy").diff_files
os.replace(work / "copy" / "one" / "00.txt", work / "copy" / "one" / "01.txt")
assert (work / "copy" / "one" / "01.txt").read_text() == "0"
os.rename(work / "copy", work / "moved")
shutil.rmtree(work / "moved")
assert not (work / "moved").exists()
os.chdir(work / "tree")
assert os.getcwd() == "/folder/tree" and pathlib.Path("one/two").is_dir()
os.chdir("/folder")

# Temporary ones
with tempfile.TemporaryDirectory() as d:
    assert d.startswith("/folder/")
    with tempfile.NamedTemporaryFile(dir=d) as f:
        f.write(b"temporary")
        f.flush()
        assert os.path.getsize(f.name) == 9
    assert os.listdir(d) == []
    with zipfile.ZipFile(os.path.join(d, "a.zip"), "w", zipfile.ZIP_DEFLATED) as z:
        for p in sorted((work / "tree").rglob("*.txt")):
            z.write(p, p.name)
    with zipfile.ZipFile(os.path.join(d, "a.zip")) as z:
        assert z.testzip() is None and z.read("07.txt") == b"7"
assert not os.path.exists(d)

# Links and times
os.symlink("a.json", work / "link")
assert os.readlink(work / "link") == "a.json" and os.path.islink(work / "link")
assert (work / "link").resolve() == work / "a.json"
os.link(work / "a.json", work / "hard")
assert os.stat(work / "hard").st_nlink == 2 and os.path.samefile(work / "hard", work / "link")
os.utime(work / "hard", ns=(1234567890123456789, 1234567891123456789))
assert os.stat(work / "a.json").st_mtime_ns == 1234567891123456789
assert stat.S_ISLNK(os.lstat(work / "link").st_mode)
fails(errno.ENOENT, os.stat, work / "none")

# The working folder is as it was.
shutil.rmtree(work / "tree")
for name in ("a.json", "lines", "link", "hard"):
    os.unlink(work / name)
assert os.listdir(work) == ["files.py"], os.listdir(work)
print("all well")
