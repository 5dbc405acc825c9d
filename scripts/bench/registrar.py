"""Registers the agents' phones with SHA-256 digest (RFC 8760), which SIPp can't do."""
import hashlib, re, socket

from product import AGENTS, DOMAIN, people

CHALLENGE = re.compile(r'nonce="([^"]+)", algorithm=SHA-256')


def register(count):
    """All at the address where the phones answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        host, port = AGENTS.split(":")
        phone.bind((host, int(port)))
        phone.connect(("127.0.0.1", 5060))
        phone.settimeout(5)
        for name, password in people(count):
            nonce = CHALLENGE.search(ask(phone, name, 1, "", "401"))[1]
            ask(phone, name, 2, authorization(name, password, nonce), "200")


def ask(phone, name, number, extra, status):
    phone.send((f"REGISTER sip:{DOMAIN} SIP/2.0\r\nVia: SIP/2.0/UDP {AGENTS};branch=z9hG4bK{name}-{number}\r\n"
                f"From: <sip:{name}@{DOMAIN}>;tag={name}\r\nTo: <sip:{name}@{DOMAIN}>\r\nCall-ID: {name}@bench\r\n"
                f"CSeq: {number} REGISTER\r\nContact: <sip:{name}@{AGENTS}>;expires=3600\r\nMax-Forwards: 70\r\n"
                f"{extra}Content-Length: 0\r\n\r\n").encode())
    answer = phone.recv(4096).decode()
    if not answer.startswith(f"SIP/2.0 {status}"):
        raise SystemExit(f"phone {name} was answered: {answer}")
    return answer


def authorization(name, password, nonce):
    digest = lambda *parts: hashlib.sha256(":".join(parts).encode()).hexdigest()
    proof = digest(digest(name, DOMAIN, password), nonce, "00000001", name, "auth", digest("REGISTER", f"sip:{DOMAIN}"))
    return (f'Authorization: Digest username="{name}", realm="{DOMAIN}", nonce="{nonce}", uri="sip:{DOMAIN}", algorithm=SHA-256, '
            f'qop=auth, nc=00000001, cnonce="{name}", response="{proof}"\r\n')
