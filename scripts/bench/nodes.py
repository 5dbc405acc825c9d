"""Several nodes of the product as one cluster, each a process with an address of its own on the loopback."""
import json, os, shutil, sqlite3, subprocess, tempfile, time, urllib.request

import bl
from product import Company

ALL = ("edge", "control", "media", "console")
CONTROL = ("control", "console")


class Nodes(Company):
    """One node for each entry of `roles`, settled. Folder and processes end with `stop`; `cpu` pins all to one core."""

    def __init__(self, roles, groups, cpu=None, ports="20000-39999", hosts=("127.0.0.1", "127.0.0.2", "127.0.0.3"), silent_seconds=30):
        self.folder = tempfile.mkdtemp(prefix="cluster", dir=os.environ["BENCH_TARGET"] + "/bench")
        self.binary = os.path.abspath(os.environ["BENCH_TARGET"] + "/release/mangrove")
        self.cpu, self.ports, self.hosts, self.processes, self.tokens = cpu, ports, hosts, [], []
        self.silent_seconds = silent_seconds
        self.pages = [node for node, has in enumerate(roles) if "console" in has]
        for node, has in enumerate(roles):
            self.processes.append(self.begin(node, has, groups))
            self.until(lambda: self.get(node, "/readyz", raw=True), f"node {node} to be ready")
            self.tokens.append(open(f"{self.folder}/{node}/data/admin.token").read().strip())
        self.until(lambda: self.is_settled(groups, min(3, sum("control" in has for has in roles))), "every group to have its replicas")
        self.at(self.pages[0])

    def at(self, node):
        """Whose API is used from now on."""
        self.http, self.token = f"http://{self.host(node)}:8080", self.tokens[node]

    def begin(self, node, roles, groups):
        folder, host = f"{self.folder}/{node}", self.host(node)
        os.makedirs(folder)
        with open(f"{folder}/mangrove.toml", "w") as file:
            file.write(f"""
node = "n{node}"
data_dir = "data"
roles = {json.dumps(roles)}
[database]
url = "sqlite:{os.path.abspath(self.folder)}/common.db"
[objects]
url = "file:{os.path.abspath(self.folder)}/recordings"
[sip]
udp = "{host}:5060"
tcp = "{host}:5060"
[rtp]
address = "{host}"
ports = "{self.ports}"
[http]
listen = "{host}:8080"
[cluster]
listen = "{self.grpc(node)}"
join = {json.dumps([] if node == 0 else [self.grpc(0)])}
shard_groups = {groups}
[limits]
silent_seconds = {self.silent_seconds}
[telemetry]
level = "warn"
""")
        log = open(f"{folder}/log.txt", "w")
        return bl.start(bl.pin(self.cpu) + [self.binary, "serve", "-c", "mangrove.toml"], cwd=folder, stdout=log, stderr=subprocess.STDOUT)

    def host(self, node):
        return self.hosts[node]

    def grpc(self, node):
        return f"{self.host(node)}:7400"

    def get(self, node, path, raw=False):
        headers = {} if raw else {"Authorization": "Bearer " + self.tokens[node]}
        request = urllib.request.Request(f"http://{self.host(node)}:8080{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status == 200 if raw else json.loads(answer.read())

    def until(self, holds, what, seconds=60, pause=0.05):
        limit = time.time() + seconds
        while time.time() < limit:
            try:
                if holds():
                    return
            except OSError:
                pass
            time.sleep(pause)
        logs = "".join(open(f"{self.folder}/{node}/log.txt").read()[-2000:] for node in range(len(self.processes)))
        raise SystemExit(f"waited {seconds} s for {what}\n{logs}")

    def is_settled(self, groups, replicas):
        statuses = self.statuses().values()
        known = all(len(status["members"]) == len(self.processes) and not status["trouble"] for status in statuses)
        seen = [group for status in statuses for group in status["groups"]]
        voting = all(len(group["voters"]) == replicas and not group["changing"] for group in seen)
        members = self.get(self.pages[0], "/api/v1/cluster/nodes")
        spread = all(member["report"] and member["report"]["leads"] == member["planned_leads"] for member in members)
        return known and voting and spread and len(seen) == replicas * groups and len(self.leaders()) == groups

    def statuses(self):
        """Of the nodes that run and have pages."""
        running = [node for node in self.pages if self.processes[node].poll() is None]
        return {node: self.get(node, "/api/v1/status") for node in running}

    def leaders(self):
        """The shard groups, each with the node that leads it."""
        return {group["group"]: node for node, status in self.statuses().items() for group in status["groups"] if group["state"] == "leader"}

    def home(self):
        """The company's group."""
        return next(group["group"] for status in self.statuses().values() for group in status["groups"] if group["tenants"])

    def cpu_ns(self):
        return sum(bl.cpu_ns(process.pid) for process in self.processes)

    def outcomes(self):
        """Count of call records by outcome, straight from the database."""
        database = sqlite3.connect(f"file:{self.folder}/common.db?mode=ro", uri=True)
        try:
            return dict(database.execute("select outcome, count(*) from cdr group by outcome").fetchall())
        finally:
            database.close()

    def stop(self):
        for process in self.processes:
            bl.end(process)
        shutil.rmtree(self.folder)
