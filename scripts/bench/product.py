"""The product as a process on the measured core, with a company of as many agents as asked for."""
import json, os, shutil, sqlite3, subprocess, tempfile, time, urllib.request

from bl import SUT_CPU, end, pin, start

HTTP = "http://127.0.0.1:8080"
NUMBER, DOMAIN, TENANT = "70000000001", "loadtest.example", "loadtest"
CALLER, AGENTS = "127.0.0.1:5070", "127.0.0.1:5080"
CONFIGURATION = """
node = "bench"
data_dir = "data"
[sip]
udp = "127.0.0.1:5060"
tcp = "127.0.0.1:5060"
[rtp]
address = "127.0.0.1"
ports = "20000-39999"
[http]
listen = "127.0.0.1:8080"
[cluster]
listen = "127.0.0.1:7400"
[telemetry]
level = "warn"
"""


def people(count):
    return [(str(1000 + i), f"phone-{1000 + i}-of-the-bench") for i in range(count)]


def company(count, recorded):
    employees = [{"extension": name, "id": name, "name": f"Agent {name}", "roles": ["agent"],
                  "devices": [{"sip": {"username": name, "password": password}}]} for name, password in people(count)]
    return {
        "format": 1, "tenant": TENANT, "name": "Bench", "domain": DOMAIN,
        "trunks": [{"name": "carrier", "from": [CALLER], "to": [{"uri": f"sip:{CALLER}", "priority": 1}]}],
        "numbers": [{"number": NUMBER, "scheme": "main", "channels": 100_000}],
        "employees": employees,
        "groups": [{"extension": "900", "name": "All", "strategy": "longest-idle", "members": [name for name, _ in people(count)],
                    "ring": "20s", "wrap_up": "0s", "queue": {"max_wait": "600s", "max_length": 10_000}}],
        "schemes": [{"name": "main", "steps": [{"group": "900"}]}],
        "recording": {"calls": "external" if recorded else "none", "channels": "dual", "retention": "1d"},
    }


class Company:
    """The company of the bench at the node that serves `http`. Who inherits it has `http`, `token` and `until`."""

    def request(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": "Bearer " + self.token, "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.http}/api/v1/tenants/{TENANT}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def put(self, document):
        answer = self.request("POST", "/configuration", document)
        if answer and answer.get("problems"):
            raise SystemExit(f"the company was refused: {answer['problems']}")

    def available(self, agents):
        for name, _ in people(agents):
            self.request("POST", f"/agents/{name}/state", {"state": "available"})
        self.until(lambda: self.reachable() >= agents, f"{agents} agents to be reachable")

    def reachable(self):
        return sum(agent["state"] == "available" and agent["reachable"] for agent in self.request("GET", "/live")["agents"])

    def live_calls(self):
        return len(self.request("GET", "/live")["calls"])


class Product(Company):
    """A node with a company. Its folder and process end with `stop`."""

    http = HTTP

    def __init__(self, agents=1, recorded=False, cpu=SUT_CPU):
        self.folder = tempfile.mkdtemp(prefix="mangrove-bench")
        with open(f"{self.folder}/mangrove.toml", "w") as file:
            file.write(CONFIGURATION)
        self.log = open(f"{self.folder}/log.txt", "w")
        binary = os.path.abspath(os.environ["BENCH_TARGET"] + "/release/mangrove")
        self.process = start(pin(cpu) + [binary, "serve", "-c", "mangrove.toml"], cwd=self.folder, stdout=self.log, stderr=subprocess.STDOUT)
        self.pid = self.process.pid
        self.until(lambda: urllib.request.urlopen(HTTP + "/readyz", timeout=2).status == 200, "the node to be ready")
        self.token = open(f"{self.folder}/data/admin.token").read().strip()
        self.put(company(agents, recorded))

    def stop(self):
        end(self.process)
        shutil.rmtree(self.folder)

    def until(self, holds, what, seconds=30):
        limit = time.time() + seconds
        while time.time() < limit and self.process.poll() is None:
            try:
                if holds():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise SystemExit(f"waited {seconds} s for {what}\n" + open(f"{self.folder}/log.txt").read()[-4000:])

    def outcomes(self):
        """Count of call records by outcome, straight from the database."""
        database = sqlite3.connect(f"file:{self.folder}/data/mangrove.db?mode=ro", uri=True)
        try:
            return dict(database.execute("select outcome, count(*) from cdr group by outcome").fetchall())
        finally:
            database.close()
