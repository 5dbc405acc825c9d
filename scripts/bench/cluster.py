"""Writes to a cluster of three nodes beside a three-node etcd, in turns on the same disk; the cost of idle groups."""
import json, os, shutil, statistics, subprocess, tempfile, time, urllib.request

import bl

SECONDS = os.environ.get("CLUSTER_SECONDS", "5")
REPS = int(os.environ.get("REPS", "3"))
# Clients and connections, as the baseline has them for etcd.
LOADS = ((1, 1), (64, 8), (256, 16))
VALUES = (64, 512)
GROUPS = 16


class Cluster:
    """Three nodes with control, each a process. Their folder and processes end with `stop`."""

    def __init__(self, nodes=3, groups=GROUPS):
        self.folder = tempfile.mkdtemp(prefix="cluster", dir=os.environ["BENCH_TARGET"] + "/bench")
        self.binary = os.path.abspath(os.environ["BENCH_TARGET"] + "/release/mangrove")
        self.processes, self.tokens = [], []
        for node in range(nodes):
            self.processes.append(self.begin(node, groups))
            self.until(lambda: self.get(node, "/readyz", raw=True), f"node {node} to be ready")
            self.tokens.append(open(f"{self.folder}/{node}/data/admin.token").read().strip())
        self.until(lambda: self.is_settled(nodes, groups), "every group to have its replicas")

    def begin(self, node, groups):
        folder = f"{self.folder}/{node}"
        os.makedirs(folder)
        join = [] if node == 0 else ["127.0.0.1:7400"]
        with open(f"{folder}/mangrove.toml", "w") as file:
            file.write(f"""
node = "n{node}"
data_dir = "data"
roles = ["control", "console"]
[database]
url = "sqlite:{os.path.abspath(self.folder)}/common.db"
[objects]
url = "file:{os.path.abspath(self.folder)}/recordings"
[http]
listen = "127.0.0.1:{8080 + node}"
[cluster]
listen = "{self.grpc(node)}"
join = {json.dumps(join)}
shard_groups = {groups}
[telemetry]
level = "warn"
""")
        log = open(f"{folder}/log.txt", "w")
        return bl.start([self.binary, "serve", "-c", "mangrove.toml"], cwd=folder, stdout=log, stderr=subprocess.STDOUT)

    def grpc(self, node):
        return f"127.0.0.1:{7400 + node}"

    def get(self, node, path, raw=False):
        headers = {} if raw else {"Authorization": "Bearer " + self.tokens[node]}
        request = urllib.request.Request(f"http://127.0.0.1:{8080 + node}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status == 200 if raw else json.loads(answer.read())

    def until(self, holds, what, seconds=60):
        limit = time.time() + seconds
        while time.time() < limit:
            try:
                if holds():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        logs = "".join(open(f"{self.folder}/{node}/log.txt").read()[-2000:] for node in range(len(self.processes)))
        raise SystemExit(f"waited {seconds} s for {what}\n{logs}")

    def is_settled(self, nodes, groups):
        status = [self.get(node, "/api/v1/status") for node in range(nodes)]
        seen = [group for one in status for group in one["groups"]]
        voting = all(len(group["voters"]) == nodes and not group["changing"] for group in seen)
        return voting and len(seen) == nodes * groups and len(self.leaders()) == groups

    def leaders(self):
        """The shard groups, each with its leader's address."""
        found = {}
        for node in range(len(self.processes)):
            for group in self.get(node, "/api/v1/status")["groups"]:
                if group["state"] == "leader":
                    found[group["group"]] = self.grpc(node)
        return found

    def cpu_ns(self):
        return sum(bl.cpu_ns(process.pid) for process in self.processes)

    def stop(self):
        for process in self.processes:
            bl.end(process)
        shutil.rmtree(self.folder)


def load(leaders, clients, connections, value):
    binary = os.path.abspath(os.environ["BENCH_TARGET"] + "/release/examples/event_load")
    groups = [f"{group}={address}" for group, address in leaders.items()]
    command = [binary, SECONDS, str(clients), str(connections), str(value), *groups]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def ours(cluster, name, leaders):
    rows = []
    for value in VALUES:
        for clients, connections in LOADS:
            runs = []
            for _ in range(REPS):
                before = cluster.cpu_ns()
                run = load(leaders, clients, connections, value)
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
        cluster = Cluster(groups=groups)
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
    cluster = Cluster()
    try:
        leaders = cluster.leaders()
        one = dict([next(iter(sorted(leaders.items())))])
        rows = ours(cluster, "Mangrove, 16 groups", leaders) + ours(cluster, "Mangrove, one group", one)
    finally:
        cluster.stop()
    rows += etcd()
    for line in rows:
        print(line, flush=True)
    return {"writes": rows, "idle": idle()}
