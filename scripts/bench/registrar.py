"""Registers the agents' phones with SHA-256 digest (RFC 8760), which SIPp can't do."""
import hashlib, re, socket, time

from product import AGENTS, DOMAIN, people

CHALLENGE = re.compile(r'nonce="([^"]+)", algorithm=SHA-256')


def register(count):
    """All at the address where the phones answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        host, port = AGENTS.split(":")
        phone.bind((host, int(port)))
        phone.connect(("127.0.0.1", 5060))
        phone.settimeout(0.5)
        for name, password in people(count):
            nonce = CHALLENGE.search(challenge(phone, name))[1]
            ask(phone, name, 1_000, authorization(name, password, nonce), "200")


def challenge(phone, name, seconds=10):
    """An edge without control hears of a new company a moment after it was acknowledged."""
    limit, number = time.time() + seconds, 1
    while True:
        answer = send(phone, name, number, "")
        if not answer.startswith("SIP/2.0 404") or time.time() > limit:
            return expect(name, answer, "401")
        number += 1
        time.sleep(0.05)


def ask(phone, name, number, extra, status):
    return expect(name, send(phone, name, number, extra), status)


def expect(name, answer, status):
    if not answer.startswith(f"SIP/2.0 {status}"):
        raise SystemExit(f"phone {name} was answered: {answer}")
    return answer


def send(phone, name, number, extra):
    """As phones do, again until it is answered (RFC 3261 17.1.2): what is asked while a cluster forms may be lost."""
    request = (f"REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {AGENTS};branch=z9hG4bK{name}-{number}\r\n"
               f"From: <sip:{name}@{DOMAIN}>;tag={name}\r\nTo: <sip:{name}@{DOMAIN}>\r\nCall-ID: {name}@bench\r\n"
               f"CSeq: {number} REGISTER\r\nContact: <sip:{name}@{AGENTS}>;expires=3600\r\nMax-Forwards: 70\r\n"
               f"{extra}Content-Length: 0\r\n\r\n").encode()
    for _ in range(20):
        phone.send(request)
        try:
            while True:
                answer = phone.recv(4096).decode()
                if f"branch=z9hG4bK{name}-{number}\r\n" in answer or f"branch=z9hG4bK{name}-{number};" in answer:
                    return answer
        except TimeoutError:
            pass
    raise SystemExit(f"phone {name} was not answered")


def authorization(name, password, nonce):
    digest = lambda *parts: hashlib.sha256(":".join(parts).encode()).hexdigest()
    proof = digest(digest(name, DOMAIN, password), nonce, "00000001", name, "auth", digest("REGISTER", f"sip:{DOMAIN}"))
    return (f'Authorization: Digest username="{name}", realm="{DOMAIN}", nonce="{nonce}", uri="sip:{DOMAIN}", algorithm=SHA-256, '
            f'qop=auth, nc=00000001, cnonce="{name}", response="{proof}"\r\n')
