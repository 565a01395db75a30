"""Checks the evidence of a PowerFill run without PowerFill: the sum of each part, the hash of each event, the seal of
each append, and the digests of the input and of the output tables. Needs Python 3.9 and nothing else.

    python3 verify_evidence.py run.pfe
"""

import hashlib
import json
import sys
import uuid
import zipfile

IV = (0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19)
ORDER = (2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8)
MIXES = ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15), (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13),
         (3, 4, 9, 14))
START, END, PARENT, ROOT = 1, 2, 4, 8


def compress(jobs):
    """BLAKE3's compression of many blocks: jobs are (chaining value, 64 bytes, counter, length, flags). A word of all
    jobs is one integer with 64 bits per job, so that Python's long integers calculate for all jobs together."""
    lanes, count = range(len(jobs)), len(jobs)
    ones = int.from_bytes(b"\1\0\0\0\0\0\0\0" * count, "little")
    mask = ones * 0xFFFFFFFF

    def join(words):
        return int.from_bytes(b"".join(word.to_bytes(8, "little") for word in words), "little")

    blocks = [[int.from_bytes(job[1][at:at + 4], "little") for at in range(0, 64, 4)] for job in jobs]
    message = [join(block[at] for block in blocks) for at in range(16)]
    state = [join(job[0][at] for job in jobs) for at in range(8)] + [ones * word for word in IV[:4]]
    state += [join(job[2] & 0xFFFFFFFF for job in jobs), join(job[2] >> 32 for job in jobs)]
    state += [join(job[3] for job in jobs), join(job[4] for job in jobs)]

    def rotate(word, by):
        return ((word >> by) | (word << (32 - by))) & mask

    for _ in range(7):
        for (a, b, c, d), at in zip(MIXES, range(0, 16, 2)):
            for word, first, second in ((message[at], 16, 12), (message[at + 1], 8, 7)):
                state[a] = (state[a] + state[b] + word) & mask
                state[d] = rotate(state[d] ^ state[a], first)
                state[c] = (state[c] + state[d]) & mask
                state[b] = rotate(state[b] ^ state[c], second)
        message = [message[at] for at in ORDER]
    words = [(state[at] ^ state[at + 8]).to_bytes(8 * count, "little") for at in range(8)]
    return [tuple(int.from_bytes(word[8 * lane:8 * lane + 4], "little") for word in words) for lane in lanes]


def blake3(texts):
    """The BLAKE3 hashes of many texts, as bytes."""
    chunks = []  # text, number in the text, blocks, whether it is the only one
    for text, content in enumerate(texts):
        starts = range(0, len(content) or 1, 1024)
        for number, start in enumerate(starts):
            chunk = content[start:start + 1024]
            blocks = [chunk[at:at + 64] for at in range(0, len(chunk) or 1, 64)]
            chunks.append((text, number, blocks, len(starts) == 1))
    values = [IV] * len(chunks)
    for at in range(16):
        open_chunks = [index for index, chunk in enumerate(chunks) if at < len(chunk[2])]
        jobs = []
        for index in open_chunks:
            _, number, blocks, is_only = chunks[index]
            is_last = at == len(blocks) - 1
            flags = START * (at == 0) | END * is_last | ROOT * (is_last and is_only)
            jobs.append((values[index], blocks[at].ljust(64, b"\0"), number, len(blocks[at]), flags))
        for index, value in zip(open_chunks, compress(jobs) if jobs else []):
            values[index] = value
    trees = [[] for _ in texts]
    for (text, *_), value in zip(chunks, values):
        trees[text].append(value)
    while any(len(tree) > 1 for tree in trees):
        pairs = [(text, at) for text, tree in enumerate(trees) for at in range(0, len(tree) - 1, 2)]
        jobs = []
        for text, at in pairs:
            children = b"".join(word.to_bytes(4, "little") for word in trees[text][at] + trees[text][at + 1])
            jobs.append((IV, children, 0, 64, PARENT | ROOT * (len(trees[text]) == 2)))
        merged = [[] for _ in texts]
        for (text, _), value in zip(pairs, compress(jobs)):
            merged[text].append(value)
        trees = [new + tree[len(tree) - len(tree) % 2:] for new, tree in zip(merged, trees)] if pairs else trees
    return [b"".join(word.to_bytes(4, "little") for word in tree[0]) for tree in trees]


def number(value, size=8):
    return value.to_bytes(size, "little", signed=value < 0)


def field(content):
    return number(len(content)) + content


def id_field(text):
    return field(uuid.UUID(text).bytes if text else b"")


def check(is_true, what):
    if not is_true:
        sys.exit(f"DAMAGED: {what}")


def main(path):
    with open(path, "rb") as file:
        whole = file.read()
    check(hashlib.sha256(whole[:-64]).hexdigest().encode() == whole[-64:], "the file is not what was written")
    archive = zipfile.ZipFile(path)
    for line in archive.read("SHA256SUMS").decode().splitlines():
        sum_, name = line.split("  ")
        check(hashlib.sha256(archive.read(name)).hexdigest() == sum_, f"{name}: it does not have its sum")
    manifest = json.loads(archive.read("manifest.json"))
    appends = [json.loads(line) for line in archive.read("appends.jsonl").splitlines()]
    stream = "run-" + manifest["run_id"]

    seals, before = [], bytes.fromhex(manifest["seal_before"])
    for append in appends:
        numbers = ("seq", "first_position", "stream_id", "first_version", "event_count", "recorded_at_micros")
        seals.append(before + bytes.fromhex(append["last_hash"]) + b"".join(number(append[name]) for name in numbers)
                     + id_field(append["append_id"]) + field(append["tenant_id"].encode())
                     + field(append["actor"].encode()) + id_field(append["causation_id"])
                     + id_field(append["correlation_id"]))
        before = bytes.fromhex(append["seal"])
    for append, seal in zip(appends, blake3(seals)):
        check(seal.hex() == append["seal"], f"append {append['seq']}: its seal does not match")
    check(appends[-1]["seal"] == manifest["sealed"]["seal"], "the last append is not the sealed one")

    own = [append for append in appends if append["stream"] == stream]
    metas = blake3([field(stream.encode()) + field(append["tenant_id"].encode()) + field(append["actor"].encode())
                    + number(append["recorded_at_micros"]) + id_field(append["causation_id"])
                    + id_field(append["correlation_id"]) for append in own])
    meta_of = {version: (meta, append) for meta, append in zip(metas, own)
               for version in range(append["first_version"], append["first_version"] + append["event_count"])}
    previous, version, request, completed = blake3([stream.encode()])[0], 0, None, None
    for name in sorted(name for name in archive.namelist() if name.startswith("events/")):
        texts, events = [], []
        for line in archive.read(name).splitlines():
            version += 1
            event, payload = json.loads(line), line.split(b',"payload":', 1)[1][:-1]
            check(event["version"] == version and version in meta_of, f"{name}: event {version} is missing")
            kind = event["type"].encode()
            texts.append(previous + meta_of[version][0] + number(version) + field(kind)
                         + number(event["schema_version"], 2) + field(payload))
            previous = bytes.fromhex(event["hash"])
            events.append(event)
        for event, hash_ in zip(events, blake3(texts)):
            append = meta_of[event["version"]][1]
            is_last = event["version"] == append["first_version"] + append["event_count"] - 1
            check(hash_.hex() == event["hash"], f"{name}: event {event['version']}: its hash does not match")
            is_sealed = not is_last or append["last_hash"] == event["hash"]
            check(is_sealed, f"append {append['seq']}: it sealed another event")
        request = request or events[0]["payload"]
        completed = events[-1]["payload"] if events[-1]["type"] == "RunCompleted" else None
    check(version == len(meta_of) == manifest["events"], "events are missing at the end")
    check(previous.hex() == manifest["last_hash"], "the last event is not that of the manifest")

    digest = blake3([archive.read("input.snapshot")])[0].hex()
    check(digest == request["snapshot_digest"], "input.snapshot: it does not have its digest")
    options = json.loads(archive.read("options.json"))
    check(options == request["options"], "options.json: not those of the request")
    if completed:
        digest = blake3([archive.read("tables.txt")])[0].hex()
        check(digest == completed["output_digest"], "tables.txt: its hash is not the output digest")
    print(f"run {manifest['run_id']}: {version} events in {len(own)} appends; everything matches")
    print(f"seal of append {manifest['sealed']['seq']}: {manifest['sealed']['seal']}")


if __name__ == "__main__":
    main(sys.argv[1])
