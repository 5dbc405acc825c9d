"""CPU time per call through scheme, queue and agent, beside Kamailio proxying the same calls to the same phones."""
import os, statistics, subprocess, tempfile, time

import bl, phones, registrar
from product import Product

RATES = [int(rate) for rate in os.environ.get("RATES", "100,200,1000").split(",")]
LADDER = [int(rate) for rate in os.environ.get("LADDER", "300,400,500,600,800,1000,1200,1500,2000,2500,3000").split(",")]
REPETITIONS = int(os.environ.get("REPS", 3))
SECONDS, TALK_MS, AGENTS = 5, 100, 400


class Kamailio:
    """The baseline's proxy, with its faster allocator."""

    def __init__(self):
        folder = tempfile.mkdtemp(prefix="mangrove-bench-kamailio")
        text = open(bl.HERE + "/sip/kamailio.cfg.in").read().replace("@RUN@", folder).replace("@CHILDREN@", "2")
        with open(f"{folder}/k.cfg", "w") as file:
            file.write(text)
        command = bl.pin(bl.SUT_CPU) + ["kamailio", "-f", f"{folder}/k.cfg", "-m", "1024", "-M", "16", "-DD", "-E", "-Y", folder,
                                        "-P", f"{folder}/k.pid", "-x", "tlsf", "-X", "tlsf"]
        self.log = open(f"{folder}/log.txt", "w")
        self.process = bl.start(command, stdout=self.log, stderr=subprocess.STDOUT, cwd=folder)
        self.pid = self.process.pid
        time.sleep(1.5)
        if self.process.poll() is not None:
            raise SystemExit(open(f"{folder}/log.txt").read())

    def stop(self):
        bl.end(self.process)

    def outcomes(self):
        return {}


def kamailio():
    return Kamailio()


def product(recorded=False):
    started = Product(AGENTS, recorded)
    registrar.register(AGENTS)
    started.available(AGENTS)
    return started


VARIANTS = {"Kamailio, proxy": kamailio, "Mangrove": product, "Mangrove, recording": lambda: product(recorded=True)}


def one(begin, rate, seconds):
    """A fresh process under load; its calls must all be in its own records, as answered."""
    subject = begin()
    callees = phones.agents(TALK_MS)
    try:
        result = phones.call(subject.pid, rate, seconds, patience=10)
        result.update(records(subject, result["calls"]))
    finally:
        bl.end(callees)
        subject.stop()
    return result


def records(subject, calls):
    if isinstance(subject, Kamailio):
        return {"answered": calls}
    limit = time.time() + 20
    while sum(subject.outcomes().values()) < calls and time.time() < limit:
        time.sleep(0.2)
    return {"answered": subject.outcomes().get("answered", 0)}


def per_call():
    rows = []
    for rate in RATES:
        for name, begin in VARIANTS.items():
            results = [one(begin, rate, SECONDS) for _ in range(REPETITIONS)]
            row = {"name": name, "rate": rate, "worst": [r for r in results if not phones.clean(r)]}
            for key in ("us_per_call", "failed", "retransmissions", "real_rate", "answered"):
                row[key] = statistics.median(result[key] for result in results)
            rows.append(row)
            print(row, flush=True)
    return rows


def highest():
    """The last rung of the ladder that holds in 2 of 3 tries of 8 s; every try is printed."""
    rows = []
    for name in ("Kamailio, proxy", "Mangrove"):
        best, tries = 0, []
        for rate in LADDER:
            held = [holds(name, rate) for _ in range(2)]
            if held[0] != held[1]:
                held.append(holds(name, rate))
            tries.append([rate, held])
            if sum(held) < 2:
                break
            best = rate
        rows.append({"name": name, "highest": best, "tries": tries})
        print(rows[-1], flush=True)
    return rows


def holds(name, rate):
    result = one(VARIANTS[name], rate, 8)
    print(name, result, flush=True)
    return phones.clean(result)


def measure():
    return {"per_call": per_call(), "highest": highest()}
