"""Prints the figures as tables and keeps them in docs/benchmarks.md, between its two marks."""
import datetime, os, platform, subprocess

PAGE, BEGIN, END = "docs/benchmarks.md", "<!-- figures: begin -->", "<!-- figures: end -->"


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines) + "\n"


def ratio(value, other):
    return f"{value / other:.2f}"


def calls(figures):
    rows = []
    for row in figures["per_call"]:
        peer = next(r for r in figures["per_call"] if r["rate"] == row["rate"])
        rows.append([row["rate"], row["name"], row["us_per_call"], ratio(row["us_per_call"], peer["us_per_call"]), row["failed"],
                     row["retransmissions"], row["answered"]])
    text = table(["calls/s", "", "CPU us a call", "ratio", "failed", "retransmissions", "answered"], rows)
    ladder = [[row["name"], row["highest"], "; ".join(f"{rate}: " + " ".join("ok" if ok else "FAIL" for ok in held)
                                                     for rate, held in row["tries"])] for row in figures["highest"]]
    return text + "\n" + table(["", "highest calls/s", "every try"], ladder)


def ringing(row):
    return table(["calls/s", "calls", "not seen at the phone", "p50 ms", "p99 ms", "highest ms"],
                 [[row["rate"], row["calls"], row["missing"], row["p50_ms"], row["p99_ms"], row["highest_ms"]]])


def relay(figures):
    rows = []
    for row in figures:
        same = {r["name"]: r["us_per_pkt"] for r in figures if r["sessions"] == row["sessions"]}
        limit = next(cost for name, cost in same.items() if name.startswith("bare"))
        rows.append([row["sessions"], row["name"], row["us_per_pkt"], ratio(row["us_per_pkt"], limit),
                     ratio(row["us_per_pkt"], same["rtpengine"]), row["loss_pct"], row["p50_us"], row["p99_us"]])
    return table(["sessions", "", "CPU us a packet", "of the limit", "of rtpengine", "loss %", "p50 us", "p99 us"], rows)


def waiting(row):
    return table(["callers", "kB a caller", "packets/s", "cores", "CPU us a packet"],
                 [[row["callers"], row["kb_a_caller"], row["packets_a_second"], row["cores"], row["us_per_packet"]]])


def commit(figures):
    return table(["", "writers", "p50 us", "p99 us", "commits/s"],
                 [[row["name"], row["writers"], row["p50_us"], row["p99_us"], row["a_second"]] for row in figures])


def cluster(figures):
    rows = []
    for row in figures["writes"]:
        peer = next(r for r in figures["writes"] if r["name"] == "etcd" and (r["clients"], r["value"]) == (row["clients"], row["value"]))
        rows.append([row["clients"], row["value"], row["name"], row["a_second"], ratio(row["a_second"], peer["a_second"]), row["p50_us"],
                     row["p99_us"], ratio(row["p99_us"], peer["p99_us"]), row["us_all"]])
    rows.sort(key=lambda row: (row[1], row[0]))
    text = table(["clients", "bytes", "", "writes/s", "of etcd's", "p50 us", "p99 us", "of etcd's", "CPU us a write, all three"], rows)
    idle = [[row["groups"], row["cores_all"], row["mb_a_node"]] for row in figures["idle"]]
    return text + "\n" + table(["idle groups", "cores, all three nodes", "MB a node"], idle)


def replication(figures):
    rows = []
    for row in figures:
        one = next(r for r in figures if r["rate"] == row["rate"] and r["nodes"] == 1)
        rows.append([row["rate"], row["nodes"], row["us_per_call"], ratio(row["us_per_call"], one["us_per_call"]), row["us_leader"],
                     ratio(row["us_leader"], one["us_leader"]), row["failed"], row["retransmissions"], row["answered"]])
    return table(["calls/s", "nodes", "CPU us a call, all", "of one node's", "of it the node with the calls", "of one node's", "failed",
                  "retransmissions", "answered"], rows)


def takeover(figures):
    return table(["live calls", "from kill -9 of their leader until all are taken over and a new call is decided, ms", "talks before", "talks after"],
                 [[row["calls"], row["decides_ms"], row["before"], row["after"]] for row in figures])


PARTS = {
    "calls": ("Calls set up and torn down", calls),
    "ringing": ("From a caller's INVITE to the agent's phone", ringing),
    "relay": ("Relayed packets", relay),
    "waiting": ("Callers waiting with music", waiting),
    "commit": ("Commits", commit),
    "cluster": ("Writes to three nodes", cluster),
    "replication": ("What three nodes cost a call", replication),
    "takeover": ("Taking over live calls", takeover),
}


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown CPU")
    return f"{os.cpu_count()} CPUs ({model}), Linux {platform.release()}"


def now():
    commit_id = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    return f"{datetime.date.today()}, commit {commit_id}, {machine()}"


def section(title, draw, result):
    cost, busy = result["yardstick"]
    return (f"### {title}\n\n{result['measured']}. Yardstick {cost} us a UDP send and receive; "
            f"others used {busy:.0%} of the machine before.\n\n{draw(result['figures'])}")


def write(results):
    """New figures take the place of the old ones; sections that were not measured stay."""
    with open(PAGE) as file:
        before, rest = file.read().split(BEGIN)
    old, after = rest.split(END)
    sections = {part.split("\n", 1)[0]: "### " + part.strip() for part in old.split("### ")[1:]}
    for name, (title, draw) in PARTS.items():
        if "measured" in results.get(name, {}):
            sections[title] = section(title, draw, results[name]).strip()
    ordered = [sections[title] for title, _ in PARTS.values() if title in sections]
    text = "\n\n".join(ordered)
    print(text)
    with open(PAGE, "w") as file:
        file.write(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}")
