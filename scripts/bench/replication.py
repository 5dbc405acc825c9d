"""CPU time per call on three nodes beside one, and how long a leader's death leaves live calls without decisions."""
import math, os, resource, signal, socket, statistics, time

import bl, calls, phones, registrar
from nodes import ALL, CONTROL, Nodes
from product import NUMBER, company

RATES = [int(rate) for rate in os.environ.get("REPLICATION_RATES", "100,200").split(",")]
REPETITIONS = int(os.environ.get("REPS", 3))
LIVE = [int(count) for count in os.environ.get("LIVE", "100,1000,10000").split(",")]
SECONDS, GROUPS = 5, 16
# Another number of the company's, whose scheme refuses: an answer is a decision.
REFUSED, PROBER = "70000000002", ("127.0.0.1", 5075)


def begin(nodes):
    """Alike, all on the measured core; the company's group is led by the node with the calls."""
    subject = Nodes([ALL] * nodes, GROUPS, cpu=bl.SUT_CPU)
    subject.put(company(calls.AGENTS, False))
    registrar.register(calls.AGENTS)
    subject.available(calls.AGENTS)
    return subject


def one(nodes, rate):
    subject = begin(nodes)
    callees = phones.agents(calls.TALK_MS)
    try:
        own = bl.cpu_ns(subject.processes[0].pid)
        result = phones.calls(subject.cpu_ns, rate, SECONDS, patience=10)
        result["us_leader"] = round((bl.cpu_ns(subject.processes[0].pid) - own) / 1e3 / max(1, result["calls"]))
        result.update(calls.records(subject, result["calls"]))
    finally:
        bl.end(callees)
        subject.stop()
    return result


def measure():
    rows = []
    for rate in RATES:
        for nodes in (1, 3):
            results = [one(nodes, rate) for _ in range(REPETITIONS)]
            row = {key: statistics.median(result[key] for result in results)
                   for key in ("us_per_call", "us_leader", "failed", "retransmissions", "answered")}
            rows.append({"rate": rate, "nodes": nodes, **row})
            print(rows[-1], flush=True)
    return rows


def takeover():
    rows = []
    for count in LIVE:
        rows.append(taken_over(count))
        print(rows[-1], flush=True)
    return rows


def media_nodes(calls):
    """Four sockets a call, and some for all else: as many processes as can have them."""
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return math.ceil(4 * calls / (limit - 1_000))


def taken_over(count):
    """Talks without sound through one edge. One of three control nodes leads them, and is killed."""
    roles = [CONTROL] * 3 + [("edge",)] + [("media",)] * media_nodes(count)
    hosts = ["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.1"] + [f"127.0.1.{node}" for node in range(1, len(roles) - 3)]
    subject = Nodes(roles, 1, hosts=hosts, ports="10000-64999", silent_seconds=86_400)
    try:
        subject.put(document(count))
        registrar.register(count)
        subject.available(count)
        callees = phones.sipp("uas.xml", 5080, "-mp", 7000, "-d", 3_600_000)
        callers = phones.sipp("uac.xml", 5070, "-mp", 6000, "-s", NUMBER, "-r", 100, "-m", count, "127.0.0.1:5060")
        try:
            subject.until(lambda: talks(subject) >= count, f"{count} talks", 60 + count / 50, pause=1)
            return killed(subject, count)
        finally:
            bl.end(callers)
            bl.end(callees)
    finally:
        subject.stop()


def document(count):
    wanted = company(count, False)
    host, port = PROBER
    wanted["trunks"].append({"name": "prober", "from": [f"{host}:{port}"], "to": [{"uri": f"sip:{host}:{port}", "priority": 1}]})
    wanted["numbers"].append({"number": REFUSED, "scheme": "busy", "channels": 100_000})
    wanted["schemes"].append({"name": "busy", "steps": [{"busy": True}]})
    return wanted


def talks(subject):
    return sum(call["state"] == "talking" for call in subject.request("GET", "/live")["calls"])


def killed(subject, count):
    """What is left of the calls, when another node leads, and when a new call's fate is decided again: a leader takes over all
    that it has before it carries out anything new."""
    group = subject.home()
    leader = subject.leaders()[group]
    subject.at(next(node for node in subject.pages if node != leader))
    before, process = talks(subject), subject.processes[leader]
    with Prober() as prober:
        prober.answered(time.time())
        began = time.time()
        process.send_signal(signal.SIGKILL)
        decides = prober.answered(began)
        process.wait()
    subject.until(lambda: subject.leaders().get(group) not in (None, leader), "another leader")
    return {"calls": count, "decides_ms": round(decides * 1e3), "before": before, "after": talks(subject)}


class Prober:
    """Calls the number that is busy, every 20 ms."""

    def __enter__(self):
        self.socket, self.number = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), 0
        self.socket.bind(PROBER)
        self.socket.connect(("127.0.0.1", 5060))
        self.socket.settimeout(0.02)
        return self

    def __exit__(self, *_):
        self.socket.close()

    def answered(self, since, limit=60):
        """Seconds from `since` until one of the calls made from now on is decided."""
        first = self.number + 1
        while time.time() < since + limit:
            self.send("INVITE", self.number + 1)
            self.number += 1
            try:
                answer = self.socket.recv(4096).decode()
            except TimeoutError:
                continue
            number = int(answer.split("Call-ID: probe-")[1].split("@")[0])
            if answer.startswith("SIP/2.0 486"):
                self.send("ACK", number)
                if number >= first:
                    return time.time() - since
        raise SystemExit(f"no call was decided within {limit} s")

    def send(self, method, number):
        host, port = PROBER
        self.socket.send((f"{method} sip:{REFUSED}@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bKprobe{number}\r\n"
                          f"From: <sip:79000000000@{host}>;tag={number}\r\nTo: <sip:{REFUSED}@127.0.0.1>\r\nCall-ID: probe-{number}@bench\r\n"
                          f"CSeq: 1 {method}\r\nContact: <sip:79000000000@{host}:{port}>\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n").encode())
