"""Issues ALTCHA v1 challenges and accepts each solution once. Python's standard library only.

ALTCHA_SECRET=... PORT=8080 python3 server.py
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
import re
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ.get("ALTCHA_SECRET", "").encode()
if len(SECRET) < 32:
    raise SystemExit("Set ALTCHA_SECRET to at least 32 random characters.")

MAX_NUMBER = 50_000
LIFETIME_SECONDS = 600
MAX_PAYLOAD_BYTES = 4096

# The digests of solutions that were accepted, with their expiry. Several processes need a shared store: a table whose
# primary key is the digest, and one INSERT for each solution.
accepted = {}
lock = threading.Lock()


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def sign(text):
    return hmac.new(SECRET, text.encode(), hashlib.sha256).hexdigest()


def create_challenge():
    salt = f"{secrets.token_hex(12)}?expires={int(time.time()) + LIFETIME_SECONDS}&"
    challenge = sha256(salt + str(secrets.randbelow(MAX_NUMBER) + 1))
    return {
        "algorithm": "SHA-256",
        "challenge": challenge,
        "maxnumber": MAX_NUMBER,
        "salt": salt,
        "signature": sign(challenge),
    }


def refuse(payload):
    """Returns what is wrong with a payload, or None. A payload that was accepted once is refused afterwards."""
    try:
        solution = json.loads(base64.b64decode(payload, validate=True))
    except (binascii.Error, ValueError):
        return "not JSON"
    if not isinstance(solution, dict):
        return "a member is missing"
    challenge, salt, signature = (solution.get(name) for name in ("challenge", "salt", "signature"))
    if not all(isinstance(member, str) and member.isascii() for member in (challenge, salt, signature)):
        return "a member is missing"
    if solution.get("algorithm") != "SHA-256":
        return "another algorithm"
    # Only canonical decimals: otherwise characters could move between the salt and the number (CVE-2025-68113).
    number = solution.get("number")
    if type(number) is not int or not 0 <= number < 2**53:
        return "number is not an integer"
    expires = re.fullmatch(r"[0-9a-f]+\?expires=([0-9]{1,12})&", salt)
    if not expires:
        return "another salt"
    digest = sha256(salt + str(number))
    if not hmac.compare_digest(digest, challenge) or not hmac.compare_digest(sign(digest), signature):
        return "wrong solution"
    now = time.time()
    if int(expires[1]) < now:
        return "expired"
    with lock:
        for old in [digest for digest, end in accepted.items() if end < now]:
            del accepted[old]
        # The digest identifies the challenge, however the payload is written.
        if digest in accepted:
            return "used before"
        accepted[digest] = int(expires[1])
    return None


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/challenge":
            self.reply(200, create_challenge())
        else:
            self.reply(404, {"error": "not found"})

    def do_POST(self):
        length = int(self.headers.get("Content-Length", 0))
        if self.path != "/verify":
            self.reply(404, {"error": "not found"})
        elif not 0 < length <= MAX_PAYLOAD_BYTES:
            self.reply(400, {"error": "too long"})
        else:
            error = refuse(self.rfile.read(length))
            self.reply(400 if error else 200, {"error": error} if error else {"verified": True})

    def reply(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Handler)
print(f"listening on http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
