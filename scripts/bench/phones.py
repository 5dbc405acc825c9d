"""SIPp as the callers and the agents, pinned to the other core."""
import csv, os, subprocess, tempfile, time

from bl import GEN_CPU, cpu_ns, pin, start
from product import NUMBER

HERE = os.path.dirname(os.path.abspath(__file__)) + "/sip"
FOLDER = tempfile.mkdtemp(prefix="mangrove-bench-sipp")


def sipp(scenario, port, *arguments, stat=None):
    command = pin(GEN_CPU) + ["sipp", "-sf", f"{HERE}/{scenario}", "-i", "127.0.0.1", "-p", str(port), "-nostdin", "-aa",
                              "-buff_size", "4194304", "-l", "100000", *map(str, arguments)]
    if stat:
        command += ["-trace_stat", "-stf", stat, "-fd", "1"]
    return start(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=FOLDER)


def agents(talk_ms):
    """Phones that ring 50 ms, answer, and hang up after the talk."""
    phones = sipp("uas.xml", 5080, "-mp", 7000, "-d", talk_ms)
    time.sleep(0.3)
    return phones


def call(pid, rate, seconds, patience):
    """Calls at a rate; what became of them, and the CPU time of the process tree `pid` per call."""
    return calls(lambda: cpu_ns(pid), rate, seconds, patience)


def calls(spent_ns, rate, seconds, patience):
    """As `call`, by a counter of CPU time."""
    stat, count = f"{FOLDER}/calls.csv", int(rate * seconds)
    if os.path.exists(stat):
        os.unlink(stat)
    before, began = spent_ns(), time.time()
    sipp("uac.xml", 5070, "-mp", 6000, "-s", NUMBER, "-r", rate, "-m", count, "-timeout", int(seconds + patience), "127.0.0.1:5060",
         stat=stat).wait()
    lasted, spent = time.time() - began, spent_ns() - before
    with open(stat) as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    good, retransmissions = int(last["SuccessfulCall(C)"]), int(last["Retransmissions(C)"])
    return {"rate": rate, "calls": good, "failed": count - good, "retransmissions": retransmissions,
            "us_per_call": round(spent / 1e3 / max(1, good)), "real_rate": round(good / lasted)}


def clean(result):
    """The rule by which a rate holds."""
    return result["failed"] <= result["calls"] * 0.001 and not result["retransmissions"] and result["real_rate"] > result["rate"] * 0.85
