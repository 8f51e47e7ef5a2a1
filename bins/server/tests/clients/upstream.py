"""A model provider that answers from the passages that it is given, and says what it was asked.

What it does is told by the question: "break off" fails in the middle, "stall" goes on until the reader leaves, "no access" is 401.
"""

import json
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "sk-of-the-provider"
MODEL = "stub-large"
MARKER = re.compile(r"(?:ALPHA|BRAVO)-\d{4}")
# What the server says when a question is to be rewritten.
REWRITING = "You are given a conversation that ends with a question."
USAGE = {"prompt_tokens": 120, "completion_tokens": 12, "total_tokens": 132}


class Upstream(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.seen = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    def asked(self, word):
        """How often a question with that word was asked."""
        with self.lock:
            return sum(word in request["messages"][-1]["content"] for request in self.seen)

    def mixed(self):
        """The requests that have the markers of two tenants."""
        with self.lock:
            return [request for request in self.seen if len(set(MARKER.findall(json.dumps(request)))) > 1]


def answer(messages):
    question = messages[-1]["content"]
    if messages[0]["content"].startswith(REWRITING):
        return "What colour does the vault have?"
    earlier = [message for message in messages if message["role"] == "assistant" and MARKER.search(message["content"])]
    passages = " ".join(message["content"] for message in messages if "passage [1]" in message["content"])
    found = MARKER.search(passages)
    if not found:
        return "I do not know."
    if earlier:
        return f"You asked for {MARKER.search(earlier[0]['content'])[0]}; the vault of {found[0]} is amber [1]."
    return f"To \"{question.strip()}\": the code is {found[0]} [1]. Another says so [9]."


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        with self.server.lock:
            self.server.seen.append(request)
        question = request["messages"][-1]["content"]
        if self.headers["authorization"] != f"Bearer {KEY}" or "no access" in question:
            error = {"message": "no", "type": "invalid_request_error", "param": None, "code": "invalid_api_key"}
            return self.whole(401, {"error": error})
        text = answer(request["messages"])
        if request.get("stream"):
            return self.stream(question, text)
        message = {"role": "assistant", "content": text, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        body = {"id": "c1", "object": "chat.completion", "created": 1, "model": MODEL, "choices": [choice], "usage": USAGE}
        return self.whole(200, body)

    def whole(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self, question, text):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        # Three characters at a time, so that a marker is never in one piece.
        for at in range(0, len(text), 3):
            self.chunk([{"index": 0, "delta": {"content": text[at : at + 3]}, "finish_reason": None}])
            time.sleep(0.01)
            if "break off" in question and at > len(text) // 2:
                return self.event({"error": {"message": "overloaded", "type": "server_error", "param": None, "code": None}})
            if "stall" in question:
                # Nothing but spaces follows, until nobody takes them any more.
                while True:
                    self.chunk([{"index": 0, "delta": {"content": " "}, "finish_reason": None}])
                    time.sleep(0.05)
        self.chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}])
        self.chunk([], USAGE)
        return self.wfile.write(b"data: [DONE]\n\n")

    def chunk(self, choices, usage=None):
        head = {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
        self.event(head | {"choices": choices, "usage": usage})

    def event(self, data):
        self.wfile.write(f"data: {json.dumps(data)}\n\n".encode())

    def handle(self):
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            pass  # The reader has left.
