"""Has people of two real OpenID providers use two real servers on one database, each in their own tenant."""

import base64
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from issuer import ALGORITHMS, PATIENCE, Issuer, free_port

PASSWORD = "seven lamps behind the harbour wall"
# The longest that a server goes without asking for an unknown key, in seconds.
PAUSE = 10


class Server:
    def __init__(self, binary, folder, number, environment):
        self.url, self.log = f"http://127.0.0.1:{(port := free_port())}", pathlib.Path(folder, f"server-{number}.log")
        self.environment = environment | {"PORT": str(port)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen([binary, "serve"], env=self.environment, cwd=folder, stdout=log, stderr=log)
        until = time.monotonic() + PATIENCE
        while self.ready() != 200:
            assert time.monotonic() < until and self.process.poll() is None, self.log.read_text()
            time.sleep(0.1)

    def ready(self):
        with contextlib.suppress(OSError):
            return self.ask("GET", "/readyz")[0]

    def ask(self, method, path, token=None, body=None):
        """The status and what is answered."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, method=method, data=data)
        request.add_header("content-type", "application/json")
        if token:
            request.add_header("authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def do(self, method, path, token=None, body=None):
        status, answer = self.ask(method, path, token, body)
        assert status < 300, f"{method} {path}: {status} {answer}"
        return answer

    def me(self, token):
        return self.do("GET", "/users/me", token)

    def refuses(self, token, status=401, code="unauthenticated"):
        found, answer = self.ask("GET", "/users/me", token)
        assert (found, answer.get("error", {}).get("code")) == (status, code), f"{found} {answer}"

    def log_in(self, email):
        return self.do("POST", "/login", body={"email": email, "password": PASSWORD})["access_token"]

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE)


class House:
    """Two servers, the tenants acme and globex with an admin each, and a provider for each tenant."""

    def __init__(self, binary, modules, folder):
        self.acme, self.globex = (Issuer(name, modules, folder) for name in ("acme", "globex"))
        environment = {
            "PATH": os.environ["PATH"],
            "SECRET_KEY": os.urandom(32).hex(),
            "JWT_SECRET_KEY": os.urandom(32).hex(),
            "DATABASE_URL": f"sqlite://{folder}/tenantry.db",
            "DATA_DIR": f"{folder}/data",
            "OPENAI_EMBEDDING_MODEL": "none",
            "TENANT_OIDC_ORIGINS": f"{self.acme.origin},{self.globex.origin}",
            "TENANTRY_PASSWORD": PASSWORD,
        }
        self.here = Server(binary, folder, 1, environment)
        self.there = Server(binary, folder, 2, environment)
        create = [binary, "user", "create", "--email", "root@example.org", "--superuser"]
        subprocess.run(create, env=environment, cwd=folder, check=True, capture_output=True, stdin=subprocess.DEVNULL)
        root, self.admins = self.here.log_in("root@example.org"), {}
        for tenant in ("acme", "globex"):
            self.here.do("POST", "/admin/tenants", root, {"id": tenant, "name": tenant})
            email = f"admin@{tenant}.example"
            user = {"email": email, "password": PASSWORD, "tenant_id": tenant, "role": "admin"}
            self.here.do("POST", "/admin/users", root, user)
            self.admins[tenant] = self.here.log_in(email)

    def provider(self, tenant, issuer, audience, **more):
        body = {"name": f"{issuer.url} {audience}", "issuer": issuer.url, "audience": audience} | more
        return self.here.do("POST", "/tenant/identity-providers", self.admins[tenant], body)

    def close(self):
        for server in (self.here, self.there):
            server.close()
        for issuer in (self.acme, self.globex):
            issuer.kill()


def until(work, at_most):
    """Tries again until nothing is wrong any more."""
    end = time.monotonic() + at_most
    while True:
        try:
            return work()
        except AssertionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def every_algorithm(house):
    house.acme.person("ada", email="ada@example.org", email_verified=True)
    users = set()
    for algorithm in ALGORITHMS:
        house.here.refuses(house.acme.token("ada", algorithm))
        house.provider("acme", house.acme, f"tenantry-{algorithm}")
        token = house.acme.token("ada", algorithm)
        for server in (house.here, house.there):
            me = server.me(token)
            assert (me["email"], me["tenant_id"], me["role"]) == ("ada@example.org", "acme", "member"), me
            assert me["is_superuser"] is False, me
            users.add(me["id"])
    assert len(users) == 1, "who was made at first sight is the same by every provider of the tenant"


def an_access_token(house):
    house.provider("acme", house.acme, "tenantry-api")
    tokens = house.acme.log_in("ada", "RS256", resource=house.acme.control("resource"))
    header = json.loads(base64.urlsafe_b64decode(tokens["access_token"].split(".")[0] + "=="))
    assert header["typ"] == "at+jwt", header
    assert house.here.me(tokens["access_token"])["email"] == "ada@example.org"


def wherever_ours_works(house):
    token = house.acme.token("ada")
    document = {"title": "Owls", "text": "Owls of the house sleep by day."}
    job = house.here.do("POST", "/documents", token, document)
    while job["state"] in ("queued", "running"):
        job = house.here.do("GET", f"/jobs/{job['id']}?wait=30", token)
    assert job["state"] == "done", job
    answer = house.here.do("POST", "/chat", token, {"message": "When do owls sleep?"})
    assert "sleep by day" in answer["answer"], answer
    owned = house.there.do("GET", "/conversations", token)
    assert [one["id"] for one in owned["items"]] == [answer["conversation_id"]], owned
    assert house.there.do("GET", "/v1/models", token)["data"]
    status, refused = house.here.ask("GET", "/admin/tenants", token)
    assert (status, refused["error"]["code"]) == (403, "superuser_required"), refused


def roles_by_claim(house):
    issuer, tenant = house.globex, "globex"
    claims = {"role": "groups", "roles": {"leads": "admin", "staff": "member"}, "default_role": "reader"}
    house.provider(tenant, issuer, "tenantry-RS256", claims=claims)
    for login, groups, role in (("lea", ["staff", "leads"], "admin"), ("sid", ["staff"], "member"), ("ray", None, "reader")):
        more = {"groups": groups} if groups else {}
        issuer.person(login, email=f"{login}@globex.example", email_verified=True, **more)
        assert house.here.me(issuer.token(login))["role"] == role, login
    search = ("POST", "/search", issuer.token("ray"), {"query": "owls"})
    status, refused = house.here.ask(*search)
    assert (status, refused["error"]["code"]) == (403, "permission_required"), refused
    # Tokens tell seconds.
    reader = issuer.token("ray")
    time.sleep(1.1)
    issuer.person("ray", email="ray@globex.example", email_verified=True, groups=["leads"])
    lead = issuer.token("ray")
    house.here.do("GET", "/tenant/settings", lead)
    until(lambda: house.there.do("GET", "/tenant/settings", lead), 5)
    # What a token from before says does not come back.
    for server in (house.here, house.there):
        until(lambda: server.refuses(reader), 5)
    assert house.there.me(lead)["role"] == "admin"


def nobody_speaks_for_another_tenant(house):
    # The same subject and address as acme's ada: the address is somebody else's.
    house.globex.person("ada", email="ada@example.org", email_verified=True)
    house.here.refuses(house.globex.token("ada"))
    house.globex.person("ada", email="other-ada@globex.example", email_verified=True)
    ours, theirs = house.here.me(house.acme.token("ada")), house.here.me(house.globex.token("ada"))
    assert (ours["tenant_id"], theirs["tenant_id"]) == ("acme", "globex") and ours["id"] != theirs["id"]
    found = house.here.do("POST", "/search", house.globex.token("sid"), {"query": "owls"})
    assert found["items"] == [], found
    # A superuser, and a user of this tenant whose address nobody verified.
    house.acme.person("root", email="root@example.org", email_verified=True)
    house.acme.person("admin", email="admin@acme.example")
    for login in ("root", "admin"):
        house.here.refuses(house.acme.token(login))

    now = int(time.time())
    claims = {"sub": "ada", "aud": "tenantry-RS256", "iat": now, "exp": now + 600, "email": "ada@example.org", "email_verified": True}
    for algorithm in ALGORITHMS:
        own = house.acme.control("sign", alg=algorithm, claims=claims | {"iss": house.acme.url})
        assert house.here.me(own)["id"] == ours["id"]
        header, payload, signature = own.split(".")
        forged = house.globex.control("sign", alg=algorithm, claims=claims | {"iss": house.acme.url})
        for token in (forged, f"{header}.{payload}.", f"{header}.{payload}.{signature[::-1]}", f"{forged.rpartition('.')[0]}.{signature}"):
            house.here.refuses(token)
    for change in ({"aud": "another"}, {"exp": now - 120}, {"iat": now + 600}, {"iss": f"{house.acme.url}/"}, {"tenant_id": "globex", "iss": house.globex.url + "x"}):
        house.here.refuses(house.acme.control("sign", alg="RS256", claims=claims | {"iss": house.acme.url} | change))


def an_issuer_that_tenants_share(house):
    for tenant in ("acme", "globex"):
        claims = {"tenant": {"claim": "org", "value": tenant}}
        house.provider(tenant, house.globex, "tenantry-ES256", claims=claims)
        house.globex.person(f"cy-{tenant}", email=f"cy@{tenant}.example", email_verified=True, org=tenant)
        assert house.there.me(house.globex.token(f"cy-{tenant}", "ES256"))["tenant_id"] == tenant
    house.globex.person("cy", email="cy@example.org", email_verified=True, org="initech")
    house.there.refuses(house.globex.token("cy", "ES256"))
    # Where nothing tells two tenants apart, the second provider is not taken.
    house.provider("globex", house.globex, "tenantry-EdDSA")
    token = house.globex.token("lea", "EdDSA")
    assert house.here.me(token)["tenant_id"] == "globex"
    body = {"name": "Another's", "issuer": house.globex.url, "audience": "tenantry-EdDSA"}
    status, answer = house.there.ask("POST", "/tenant/identity-providers", house.admins["acme"], body)
    assert (status, answer["error"]["code"]) == (409, "identity_provider_taken"), answer
    second = house.provider("acme", house.globex, "acme-EdDSA")
    house.here.do("DELETE", f"/tenant/identity-providers/{second['id']}", house.admins["acme"])
    assert house.here.me(token)["tenant_id"] == "globex"


def strangers_where_nobody_is_made(house):
    (provider,) = [one for one in house.here.do("GET", "/tenant/identity-providers", house.admins["acme"])["items"] if one["audience"] == "tenantry-RS256"]
    path = f"/tenant/identity-providers/{provider['id']}"
    house.here.do("PUT", path, house.admins["acme"], {"creates_users": False})
    house.acme.person("new", email="new@acme.example", email_verified=True)
    house.here.refuses(house.acme.token("new"))
    user = {"email": "new@acme.example", "password": PASSWORD, "role": "reader"}
    made = house.here.do("POST", "/tenant/users", house.admins["acme"], user)
    me = house.here.me(house.acme.token("new"))
    assert (me["id"], me["role"]) == (made["id"], "reader"), me
    house.here.do("PUT", path, house.admins["acme"], {"creates_users": True})


def keys_roll_over(house):
    old = {algorithm: house.acme.token("ada", algorithm) for algorithm in ALGORITHMS}
    house.acme.control("roll")
    for algorithm in ALGORITHMS:
        token = house.acme.token("ada", algorithm)
        assert token.split(".")[0] != old[algorithm].split(".")[0], "the key has another name"
        for server in (house.here, house.there):
            until(lambda: server.me(token), PAUSE + PATIENCE)
            server.me(old[algorithm])


def a_provider_switched_off(house):
    token = house.acme.token("ada", "ES256")
    for server in (house.here, house.there):
        server.me(token)
    providers = house.here.do("GET", "/tenant/identity-providers", house.admins["acme"])["items"]
    (provider,) = [one for one in providers if one["audience"] == "tenantry-ES256" and one["claims"]["tenant"] is None]
    path = f"/tenant/identity-providers/{provider['id']}"
    change = {"is_active": False}
    house.here.do("PUT", path, house.admins["acme"], change)
    house.here.refuses(token)
    until(lambda: house.there.refuses(token), 5)
    house.here.do("PUT", path, house.admins["acme"], {"is_active": True})
    house.here.me(token)


def a_user_deactivated(house):
    token = house.acme.token("ada")
    path = f"/tenant/users/{house.here.me(token)['id']}"
    house.there.me(token)
    house.here.do("PUT", path, house.admins["acme"], {"is_active": False})
    house.here.refuses(token)
    until(lambda: house.there.refuses(token), 5)
    house.here.do("PUT", path, house.admins["acme"], {"is_active": True})
    # The token was issued before; a new one is not, once its second is over.
    house.here.refuses(token)
    until(lambda: house.here.me(house.acme.token("ada")), PATIENCE)


def a_dead_host(house):
    kept = [house.acme.token("ada", algorithm) for algorithm in ALGORITHMS]
    house.acme.control("roll")
    unknown = house.acme.token("ada")
    house.acme.kill()
    for token in kept:
        for server in (house.here, house.there):
            assert server.me(token)["email"] == "ada@example.org"
    until(lambda: house.here.refuses(unknown, 503, "identity_provider_unavailable"), PAUSE + PATIENCE)
    assert house.here.me(kept[0]) and house.here.me(house.globex.token("sid"))["tenant_id"] == "globex"


def addresses_in_the_house(house):
    for issuer in ("http://127.0.0.1:1/acme", "https://127.0.0.1/acme", "https://169.254.169.254/", "http://login.example.org", f"{house.globex.url}?a=b"):
        body = {"name": "no", "issuer": issuer, "audience": "no"}
        status, refused = house.here.ask("POST", "/tenant/identity-providers", house.admins["acme"], body)
        assert (status, refused["error"]["code"]) == (422, "invalid_request"), f"{issuer}: {refused}"


def what_is_kept_of_it(house):
    log = house.here.do("GET", "/tenant/audit?limit=100", house.admins["acme"])
    actions = {entry["action"] for entry in log["items"]}
    assert {"identity_provider.added", "identity_provider.changed", "identity_provider.removed"} <= actions, actions
    text = json.dumps(log) + house.here.log.read_text() + house.there.log.read_text()
    assert house.globex.token("sid").split(".")[0] not in text and "eyJ" not in text, "a token is kept"


STEPS = {
    "RS256, ES256 and EdDSA, users made at first sight": every_algorithm,
    "an access token of RFC 9068": an_access_token,
    "documents, chat and /v1 with a foreign token": wherever_ours_works,
    "roles by a claim": roles_by_claim,
    "one tenant's issuer never speaks for another": nobody_speaks_for_another_tenant,
    "an issuer that tenants share": an_issuer_that_tenants_share,
    "strangers where the provider makes no users": strangers_where_nobody_is_made,
    "keys roll over while the servers run": keys_roll_over,
    "a provider is switched off on both servers": a_provider_switched_off,
    "a user is deactivated on both servers": a_user_deactivated,
    "private addresses are refused": addresses_in_the_house,
    "no token in logs and audit": what_is_kept_of_it,
    "the host of the keys is dead": a_dead_host,
}


def main(binary, modules):
    with tempfile.TemporaryDirectory() as folder:
        house = House(binary, modules, folder)
        try:
            for name, step in STEPS.items():
                step(house)
                print(f"ok: {name}", flush=True)
        except BaseException:
            for log in (house.here.log, house.there.log, house.acme.log, house.globex.log):
                print(f"--- {log.name}\n{log.read_text()[-4_000:]}", file=sys.stderr)
            raise
        finally:
            house.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
