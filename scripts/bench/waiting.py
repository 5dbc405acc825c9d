"""Memory and CPU time of callers who wait with music."""
import os, socket, time

import bl, phones, registrar
from product import NUMBER, Product

CALLERS, SECONDS = int(os.environ.get("WAITING", 1000)), 5


def sink():
    """A socket that takes the music and reads nothing of it: the kernel counts what it drops."""
    taking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taking.bind(("127.0.0.1", 6000))
    return taking


def dropped():
    for line in open("/proc/net/udp").readlines()[1:]:
        fields = line.split()
        if fields[1].endswith(":1770"):
            return int(fields[-1])
    raise SystemExit("no socket at port 6000")


def measure():
    subject, taking = Product(), sink()
    registrar.register(1)
    time.sleep(2)
    empty = bl.rss_kb(subject.pid)
    callers = phones.sipp("waits.xml", 5070, "-mp", 7200, "-s", NUMBER, "-r", 100, "-m", CALLERS, "-d", 120_000, "127.0.0.1:5060")
    try:
        subject.until(lambda: subject.live_calls() >= CALLERS, f"{CALLERS} callers to wait", 60)
        time.sleep(3)
        packets, spent, began = dropped(), bl.cpu_ns(subject.pid), time.time()
        time.sleep(SECONDS)
        packets, spent, lasted = dropped() - packets, bl.cpu_ns(subject.pid) - spent, time.time() - began
        row = {"callers": CALLERS, "kb_a_caller": round((bl.rss_kb(subject.pid) - empty) / CALLERS, 1), "empty_kb": empty,
               "packets_a_second": round(packets / lasted), "cores": round(spent / 1e9 / lasted, 2),
               "us_per_packet": round(spent / 1e3 / max(1, packets), 1)}
    finally:
        bl.end(callers)
        taking.close()
        subject.stop()
    print(row, flush=True)
    return row
