"""Holds a streamed, cited conversation of several turns with two tenants at once, by every client that people use."""

import ast
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import sdk
from house import FIRST, SECOND, House, PATIENCE, check_citations, check_first, check_second, free_port
from upstream import MODEL, Upstream

HERE = pathlib.Path(__file__).parent


def both(house, work):
    """Does the work for both tenants at once."""
    with concurrent.futures.ThreadPoolExecutor(len(house.tenants)) as pool:
        for _ in pool.map(work, house.tenants):
            pass


def by_curl(house, tenant):
    """`curl -N` on /chat, whose conversations the server keeps."""
    conversation = None
    for question, check in ((FIRST, check_first), (SECOND, check_second)):
        body = {"message": question, "stream": True}
        if conversation:
            body["conversation_id"] = conversation
        command = ["curl", "-sSN", "--fail-with-body", "--max-time", str(PATIENCE), f"{house.url}/chat"]
        command += ["-H", f"Authorization: Bearer {tenant['token']}", "-H", "Content-Type: application/json", "-d", json.dumps(body)]
        stream = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        assert stream.startswith(": open\n\n") and tenant["foreign"] not in stream, stream
        events = [event.split("\n") for event in stream.strip().split("\n\n") if not event.startswith(":")]
        events = [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in events]
        names = [name for name, _ in events]
        assert names == ["sources", *["delta"] * (len(names) - 2), "done"] and len(names) > 5, names
        check(tenant, "".join(data["text"] for name, data in events if name == "delta"))
        check_citations(tenant, events[-1][1]["citations"])
        assert events[-1][1]["supported"] is True
        assert conversation in (None, events[0][1]["conversation_id"]), "another conversation"
        conversation = events[0][1]["conversation_id"]


def by_readme(house, tenant):
    """The lines of Python that the README shows, with a question that the tenant's document answers."""
    readme = (HERE.parents[3] / "README.md").read_text()
    (program,) = [block.split("\n```")[0] for block in readme.split("```python\n")[1:]]
    for shown, real in (("http://127.0.0.1:8000", house.url), ("What does it cost to return something late?", FIRST)):
        assert shown in program, f"the README does not show {shown}"
        program = program.replace(shown, real)
    command, env = [sys.executable, "-c", program], os.environ | {"OPENAI_API_KEY": tenant["token"]}
    printed = subprocess.run(command, env=env, check=True, capture_output=True, text=True, timeout=PATIENCE).stdout
    text, _, citations = printed.partition(" [{")
    check_first(tenant, text)
    check_citations(tenant, ast.literal_eval("[{" + citations))


def by_node(script, house, *arguments):
    facts = {"url": house.url, "model": MODEL, "tenants": house.tenants, "narrow": house.narrow, "first": FIRST, "second": SECOND}
    command = ["node", str(HERE / script), *arguments]
    subprocess.run(command, check=True, text=True, input=json.dumps(facts), timeout=4 * PATIENCE)


def main(binary, modules, chromium):
    upstream, page = Upstream(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        house = House(binary, folder, upstream, f"http://127.0.0.1:{page}")
        steps = {
            "curl -N on /chat": lambda: both(house, lambda tenant: by_curl(house, tenant)),
            "the lines of Python in the README": lambda: both(house, lambda tenant: by_readme(house, tenant)),
            "openai for Python": lambda: both(house, lambda tenant: sdk.converse(house, tenant)),
            "errors as exceptions of Python": lambda: sdk.fail(house, upstream, house.tenants[0]),
            "one answer at a time": lambda: sdk.wait_in_turn(house),
            "openai for JavaScript": lambda: by_node("sdk.mjs", house, modules),
            "a page in Chromium": lambda: by_node("page.mjs", house, modules, chromium, str(page)),
        }
        try:
            for name, step in steps.items():
                step()
                print(f"ok: {name}", flush=True)
            assert upstream.asked("javascript: no access") == 1, "what lasts was tried again"
            assert not upstream.mixed(), upstream.mixed()
            assert len(upstream.seen) > 20
        except BaseException:
            print(house.log.read_text()[-8_000:], file=sys.stderr)
            raise
        finally:
            house.close()


main(*sys.argv[1:])
