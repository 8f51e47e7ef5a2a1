"""A real OpenID provider in a process of its own, and people who log in there as a browser does."""

import base64
import contextlib
import hashlib
import http.cookiejar
import json
import os
import pathlib
import re
import secrets
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).parent
# How long anything is waited for.
PATIENCE = 60
ALGORITHMS = ("RS256", "ES256", "EdDSA")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect."""

    def redirect_request(self, *_):
        return None


class Issuer:
    def __init__(self, name, modules, folder):
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.origin}/{name}"
        self.log = pathlib.Path(folder, f"{name}.log")
        with self.log.open("wb") as log:
            command = ["node", str(HERE / "provider.mjs"), modules, str(self.port), name]
            self.process = subprocess.Popen(command, stdout=log, stderr=log, env={"PATH": os.environ["PATH"]})
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{self.url}/.well-known/openid-configuration", timeout=PATIENCE).read()
                return
            time.sleep(0.1)
        self.kill()
        raise AssertionError(f"the provider does not start:\n{self.log.read_text()}")

    def control(self, what, **body):
        request = urllib.request.Request(f"{self.origin}/control/{what}", data=json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read())

    def person(self, login, **claims):
        """Makes somebody known whose tokens say these claims."""
        self.control("people", login=login, claims=claims)

    def log_in(self, login, algorithm="RS256", resource=None):
        """The authorization code flow with PKCE (RFC 7636), by the provider's own pages: an ID token and an access token."""
        jar = http.cookiejar.CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar), Stay())

        def ask(url, form=None):
            data = urllib.parse.urlencode(form).encode() if form else None
            try:
                with browser.open(urllib.parse.urljoin(self.url + "/", url), data, timeout=PATIENCE) as answer:
                    return None, answer.read().decode()
            except urllib.error.HTTPError as answer:
                assert answer.code in (302, 303), f"{url}: {answer.code} {answer.read().decode()[:2000]}"
                return answer.headers["location"], None

        verifier, back = secrets.token_urlsafe(32), f"{self.origin}/back"
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = {
            "client_id": f"tenantry-{algorithm}", "response_type": "code", "redirect_uri": back, "scope": "openid",
            "code_challenge": challenge, "code_challenge_method": "S256", "nonce": secrets.token_urlsafe(8),
        }
        query |= {"resource": resource} if resource else {}
        at, page = ask(f"{self.url}/auth?{urllib.parse.urlencode(query)}")
        for _ in range(20):
            if at and at.startswith(back):
                break
            if at:
                at, page = ask(at)
                continue
            action = re.search(r'action="([^"]+)" method="post"', page).group(1)
            prompt = re.search(r'name="prompt" value="([^"]+)"', page).group(1)
            form = {"prompt": prompt} | ({"login": login, "password": "any"} if prompt == "login" else {})
            at, page = ask(action, form)
        (code,) = urllib.parse.parse_qs(urllib.parse.urlsplit(at).query)["code"]
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": back, "client_id": query["client_id"],
            "code_verifier": verifier,
        } | ({"resource": resource} if resource else {})
        request = urllib.request.Request(f"{self.url}/token", data=urllib.parse.urlencode(form).encode())
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.loads(answer.read())

    def token(self, login, algorithm="RS256"):
        return self.log_in(login, algorithm)["id_token"]

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)
