"""Writes to a cluster of three nodes beside a three-node etcd, in turns on the same disk; the cost of idle groups."""
import json, os, statistics, subprocess, time

import bl
from nodes import CONTROL, Nodes

SECONDS = os.environ.get("CLUSTER_SECONDS", "5")
REPS = int(os.environ.get("REPS", "3"))
# Clients and connections, as the baseline has them for etcd.
LOADS = ((1, 1), (64, 8), (256, 16))
VALUES = (64, 512)
GROUPS = 16


def load(way, leaders, clients, connections, value):
    binary = os.path.abspath(os.environ["BENCH_TARGET"] + "/release/examples/event_load")
    groups = [f"{group}={address}" for group, address in leaders.items()]
    command = [binary, way, SECONDS, str(clients), str(connections), str(value), *groups]
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{' '.join(command)}: {run.stderr}")
    return json.loads(run.stdout)


def ours(cluster, name, way, leaders):
    rows = []
    for value in VALUES:
        for clients, connections in LOADS:
            runs = []
            for _ in range(REPS):
                before = cluster.cpu_ns()
                run = load(way, leaders, clients, connections, value)
                run["us_per_write"] = (cluster.cpu_ns() - before) / 1e3 / max(1, run["writes"])
                runs.append(run)
            rows.append(row(name, clients, value, runs, "write_per_s", "us_per_write"))
    return rows


def etcd():
    environment = dict(os.environ, REPS=str(REPS), SECS=SECONDS, BL_HOST_NET="1")
    subprocess.run(["python3", bl.HERE + "/4_etcd.py", "etcd"], env=environment, check=True, stdout=subprocess.DEVNULL)
    results = [json.loads(line) for line in open(f"{bl.OUT}/4_etcd.json")]
    return [row("etcd", r["clients"], r["value"], [r], "put_per_s", "all3_us_per_put") for r in results]


def row(name, clients, value, runs, rate, cost):
    middle = lambda key: statistics.median(run[key] for run in runs)
    return {"name": name, "clients": clients, "value": value, "a_second": round(middle(rate)), "p50_us": round(middle("p50_us")),
            "p99_us": round(middle("p99_us")), "us_all": round(middle(cost))}


def idle():
    """CPU of three nodes that have nothing to do, by the number of groups."""
    rows = []
    for groups in (16, 64, 256):
        cluster = Nodes([CONTROL] * 3, groups)
        try:
            time.sleep(5)
            before, seconds = cluster.cpu_ns(), 10
            time.sleep(seconds)
            rows.append({"groups": groups, "cores_all": round((cluster.cpu_ns() - before) / 1e9 / seconds, 3),
                         "mb_a_node": round(statistics.mean(bl.rss_kb(process.pid) for process in cluster.processes) / 1024)})
            print(rows[-1], flush=True)
        finally:
            cluster.stop()
    return rows


def measure():
    cluster = Nodes([CONTROL] * 3, GROUPS)
    try:
        leaders = {group: cluster.grpc(node) for group, node in cluster.leaders().items()}
        one = dict([next(iter(sorted(leaders.items())))])
        rows = ours(cluster, "Mangrove, 16 groups", "gathered", leaders)
        rows += ours(cluster, "Mangrove, one group", "gathered", one)
        rows += ours(cluster, "Mangrove, one group, an event a request", "single", one)
    finally:
        cluster.stop()
    rows += etcd()
    for line in rows:
        print(line, flush=True)
    return {"writes": rows, "idle": idle()}
