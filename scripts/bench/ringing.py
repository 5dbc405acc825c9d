"""From a caller's INVITE to the INVITE at the agent's phone, as seen on the wire, at 100 calls/s."""
import os, re, socket, struct, threading

import bl, calls, phones

RATE, SECONDS = int(os.environ.get("RINGING_RATE", 100)), 20
SO_TIMESTAMPNS = 35
USER = re.compile(rb"\r\n(?:From|f):[^\r]*?sip:(7900\d+)@")


class Wire:
    """Keeps when each caller's first INVITE passed towards a port."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 24)
        self.socket.bind(("lo", 0x0800))
        self.socket.settimeout(0.2)
        self.seen, self.stopped = {5060: {}, 5080: {}}, False
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        while not self.stopped:
            try:
                packet, extra, _, address = self.socket.recvmsg(4096, 128)
            except TimeoutError:
                continue
            if address[2] == socket.PACKET_HOST:
                self.note(packet, extra)

    def note(self, packet, extra):
        header = (packet[0] & 15) * 4
        if packet[9] != 17 or packet[header + 8:header + 15] != b"INVITE ":
            return
        port = struct.unpack("!H", packet[header + 2:header + 4])[0]
        user = USER.search(packet)
        if port in self.seen and user:
            seconds, nanoseconds = struct.unpack("qq", extra[0][2])
            self.seen[port].setdefault(user[1], seconds + nanoseconds / 1e9)

    def stop(self):
        self.stopped = True
        self.thread.join()
        self.socket.close()
        return self.seen


def measure():
    subject, callees = calls.product(), phones.agents(calls.TALK_MS)
    wire = Wire()
    try:
        result = phones.call(subject.pid, RATE, SECONDS, patience=10)
    finally:
        seen = wire.stop()
        bl.end(callees)
        subject.stop()
    waits = sorted((seen[5080][user] - at) * 1e3 for user, at in seen[5060].items() if user in seen[5080])
    at = lambda share: round(waits[int((len(waits) - 1) * share)], 2)
    row = {"rate": RATE, "calls": len(waits), "missing": len(seen[5060]) - len(waits), "failed": result["failed"],
           "p50_ms": at(0.5), "p99_ms": at(0.99), "highest_ms": at(1)}
    print(row, flush=True)
    return row
