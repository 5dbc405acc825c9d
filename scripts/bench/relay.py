"""CPU time per relayed packet: our media node beside rtpengine and the bare relay, at the same count of sessions."""
import json, os, statistics, subprocess, time

import bl

COUNTS = [int(count) for count in os.environ.get("SESSIONS", "100,500,1000").split(",")]
REPETITIONS, SECONDS = int(os.environ.get("REPS", 3)), 4
KEYS = ("us_per_pkt", "loss_pct", "p50_us", "p99_us")


def ports(command):
    """Starts a relay that prints its ports and READY."""
    path = f"{bl.OUT}/bench.ports"
    process = bl.start(bl.pin(bl.SUT_CPU) + command, stdout=open(path, "w"), stderr=subprocess.DEVNULL)
    for _ in range(500):
        time.sleep(0.02)
        if "READY" in open(path).read():
            return process, path
    raise SystemExit(f"{command} did not start")


def generated(command, count, warm_up):
    process, path = ports(command)
    try:
        return bl.rtpgen_run(process.pid, ["-n", count, "-f", path, "-t", SECONDS, "-w", warm_up])
    finally:
        bl.end(process)


def rtpengine(count):
    environment = dict(os.environ, NS=str(count), REPS="1", BL_HOST_NET="1", SECS=str(SECONDS))
    subprocess.run(["python3", bl.HERE + "/2_rtpengine.py", "relay"], env=environment, check=True, stdout=subprocess.DEVNULL)
    return json.loads(open(f"{bl.OUT}/2_rtpengine.json").readline())


def ours(mode):
    binary = os.path.abspath(os.environ["BENCH_TARGET"] + "/release/examples/relay_load")
    return lambda count: generated([binary, str(count), mode], count, 1)


SUBJECTS = {
    "bare relay (a socket a session)": lambda count: generated([bl.BIN + "/relay", "persess", str(count), "0"], count, 0.3),
    "rtpengine": rtpengine,
    "Mangrove": ours("bridge"),
    "Mangrove, recording": ours("record"),
}


def measure():
    rows = []
    for count in COUNTS:
        for name, run in SUBJECTS.items():
            results = [run(count) for _ in range(REPETITIONS)]
            rows.append({"name": name, "sessions": count} | {key: statistics.median(r[key] for r in results) for key in KEYS})
            print(rows[-1], flush=True)
    return rows
