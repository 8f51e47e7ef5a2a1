"""A real server with two tenants, each with a document that the other must never see."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

from upstream import KEY, MODEL

PASSWORD = "seven lamps behind the harbour wall"
MARKERS = {"alpha": "ALPHA-7391", "bravo": "BRAVO-2846"}
TEXT = "The code of the vault is {}. The colour of the vault is amber."
# How long anything is waited for.
PATIENCE = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def call(method, url, body=None, token=None):
    request = urllib.request.Request(url, method=method, data=json.dumps(body).encode() if body is not None else None)
    request.add_header("content-type", "application/json")
    if token:
        request.add_header("authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{method} {url}: {error.code} {error.read().decode()}") from None


class House:
    def __init__(self, binary, folder, upstream, origins):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.log = pathlib.Path(folder, "server.log")
        self.environment = {
            "PATH": os.environ["PATH"],
            "SECRET_KEY": os.urandom(32).hex(),
            "JWT_SECRET_KEY": os.urandom(32).hex(),
            "DATABASE_URL": f"sqlite://{folder}/tenantry.db",
            "DATA_DIR": f"{folder}/data",
            "PORT": self.url.rpartition(":")[2],
            "OPENAI_API_KEY": KEY,
            "OPENAI_BASE_URL": upstream.url,
            "OPENAI_CHAT_MODEL": MODEL,
            "OPENAI_EMBEDDING_MODEL": "none",
            "BACKEND_CORS_ORIGINS": origins,
            "TENANTRY_PASSWORD": PASSWORD,
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([binary, "serve"], env=self.environment, cwd=folder, stdout=log, stderr=log)
        try:
            self.wait_until_ready()
            command = [binary, "user", "create", "--email", "root@example.org", "--superuser"]
            subprocess.run(command, env=self.environment, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)
            self.root = self.log_in("root@example.org")
            self.tenants = [self.tenant(name, marker) for name, marker in MARKERS.items()]
            # One who may have a single answer at a time.
            self.tenant("narrow", None, {"chat": {"streams_per_user": 1}})
            self.narrow = self.log_in("user@narrow.example.org")
        except BaseException:
            self.close()
            raise

    def wait_until_ready(self):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError, AssertionError):
                return call("GET", f"{self.url}/readyz")
            time.sleep(0.1)
        raise AssertionError(f"the server does not start:\n{self.log.read_text()}")

    def log_in(self, email):
        return call("POST", f"{self.url}/login", {"email": email, "password": PASSWORD})["access_token"]

    def tenant(self, name, marker, settings=None):
        call("POST", f"{self.url}/admin/tenants", {"id": name, "name": name} | (settings or {}), self.root)
        email = f"user@{name}.example.org"
        user = {"email": email, "password": PASSWORD, "tenant_id": name}
        call("POST", f"{self.url}/admin/users", user, self.root)
        token = self.log_in(email)
        document = marker and self.document(token, TEXT.format(marker))
        others = [other for other in MARKERS.values() if other != marker]
        return {"name": name, "token": token, "marker": marker, "foreign": others[0], "document": document}

    def document(self, token, text):
        job = call("POST", f"{self.url}/documents", {"title": "Vault", "text": text}, token)
        while job["state"] in ("queued", "running"):
            job = call("GET", f"{self.url}/jobs/{job['id']}?wait=30", token=token)
        assert job["state"] == "done", job
        return job["document_id"]

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


FIRST, SECOND = "What is the code of the vault?", "And which colour does it have?"


def check_first(tenant, text):
    assert text == f'To "{FIRST}": the code is {tenant["marker"]} [1]. Another says so.', text


def check_second(tenant, text):
    expected = f"You asked for {tenant['marker']}; the vault of {tenant['marker']} is amber [1]."
    assert text == expected, text


def check_citations(tenant, citations):
    assert [one["number"] for one in citations] == [1], citations
    (citation,) = citations
    assert citation["document_id"] == tenant["document"], citation
    assert citation["excerpt"] == TEXT.format(tenant["marker"]), citation
    assert (citation["title"], citation["start"], citation["end"]) == ("Vault", 0, len(citation["excerpt"])), citation
