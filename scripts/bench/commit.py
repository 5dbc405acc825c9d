"""Commit latency of our log, one node, beside the disk's own sync and a three-node etcd."""
import json, os, subprocess

import bl

SECONDS = os.environ.get("COMMIT_SECONDS", "5")


def ours(folder):
    binary = os.path.abspath(os.environ["BENCH_TARGET"] + "/release/examples/commit_latency")
    text = subprocess.run([binary, SECONDS, folder], check=True, capture_output=True, text=True).stdout
    rows = [line.split() for line in text.splitlines()[2:]]
    return [{"name": "Mangrove, one node", "writers": int(w), "p50_us": int(p50), "p99_us": int(p99), "a_second": int(rate)}
            for w, p50, p99, rate in rows]


def disk(folder):
    rows = []
    for writers in (1, 64, 256):
        command = [bl.BIN + "/fsynclat", folder, str(writers), "300", SECONDS]
        result = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        rows.append({"name": "disk: append and sync, gathered", "writers": writers, "p50_us": round(result["p50_us"]),
                     "p99_us": round(result["p99_us"]), "a_second": round(result["commits_per_s"])})
    return rows


def etcd():
    environment = dict(os.environ, REPS="1", SECS=SECONDS, BL_HOST_NET="1")
    subprocess.run(["python3", bl.HERE + "/4_etcd.py", "etcd"], env=environment, check=True, stdout=subprocess.DEVNULL)
    results = [json.loads(line) for line in open(f"{bl.OUT}/4_etcd.json")]
    return [{"name": "etcd, three nodes", "writers": r["clients"], "p50_us": round(r["p50_us"]), "p99_us": round(r["p99_us"]),
             "a_second": round(r["put_per_s"])} for r in results if r["value"] == 512]


def measure():
    folder = os.path.abspath(os.environ["BENCH_TARGET"] + "/bench/commit")
    os.makedirs(folder, exist_ok=True)
    rows = disk(folder) + ours(folder) + etcd()
    for row in rows:
        print(row, flush=True)
    return rows
