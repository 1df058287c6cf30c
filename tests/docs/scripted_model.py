"""A model service on loopback that says what a test wrote down, in the protocols of Claude Code and Codex.

The clients are real; only the model behind them is scripted: write one file, then answer with the object asked for.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWER = {"summary": "Wrote the note.", "decisions": ["One sentence is enough"], "pending_actions": []}


@dataclass
class Model:
    """What the model does, and what it was asked.

    Attributes:
        file: The file it writes first.
        text: What it writes.
        tool: The tool it writes with in Claude Code.
        fails: A status it answers everything with.
    """

    file: str
    text: str = "A note.\n"
    tool: str = "Write"
    fails: int | None = None
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def scripted_model(model: Model) -> Iterator[Model]:
    """Serve the model until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Keep quiet."""

        def do_GET(self) -> None:
            self.answer(200, "application/json", b'{"data": [], "models": []}')

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if model.fails:
                said = {"type": "error", "error": {"type": "invalid_request_error", "message": "scripted refusal"}}
                self.answer(model.fails, "application/json", json.dumps(said).encode())
                return
            request = json.loads(raw or b"{}")
            model.asked.append({"path": self.path, **request})
            if self.path.startswith("/v1/messages/count_tokens"):
                self.answer(200, "application/json", b'{"input_tokens": 10}')
                return
            events = anthropic(model, request) if "/messages" in self.path else openai(model, request)
            body = "".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n" for event in events)
            self.answer(200, "text/event-stream", body.encode())

        def answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    model.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield model
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def anthropic(model: Model, request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of one message: the file, then the answer by the client's own tool for it, then the end."""
    tools = {tool["name"] for tool in request.get("tools", [])}
    used = [
        part["name"]
        for message in request["messages"]
        if message["role"] == "assistant" and isinstance(message["content"], list)
        for part in message["content"]
        if part["type"] == "tool_use"
    ]
    if "StructuredOutput" not in tools:
        return message_events(request, {"type": "text", "text": "ok"}, "end_turn")
    if model.tool not in used:
        folder = next(line for line in str(request).split("\\n") if "working directory" in line.lower())
        path = f"{folder.split(': ')[-1].strip()}/{model.file}"
        arguments = {"file_path": path, "content": model.text} if model.tool == "Write" else {"command": "python3 -c 1"}
        return message_events(request, call(model.tool, arguments), "tool_use")
    if "StructuredOutput" not in used:
        return message_events(request, call("StructuredOutput", ANSWER), "tool_use")
    return message_events(request, {"type": "text", "text": "Done."}, "end_turn")


def call(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"toolu_{name.lower()}", "name": name, "input": arguments}


def message_events(request: dict[str, Any], block: dict[str, Any], reason: str) -> list[dict[str, Any]]:
    text = block["type"] == "text"
    start = {**block, "text": ""} if text else {**block, "input": {}}
    delta = (
        {"type": "text_delta", "text": block["text"]}
        if text
        else {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
    )
    message = {
        "id": "msg_1", "type": "message", "role": "assistant", "model": request.get("model"), "content": [],
        "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 100, "output_tokens": 1},
    }  # fmt: skip
    return [
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": start},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {"output_tokens": 20},
        },
        {"type": "message_stop"},
    ]


def openai(model: Model, request: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the events of one response: the file by a shell command, then the answer as text."""
    done = any(item.get("type") == "custom_tool_call_output" for item in request["input"])
    if done:
        content = [{"type": "output_text", "text": json.dumps(ANSWER), "annotations": []}]
        item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content}
    else:
        command = json.dumps({"cmd": f"printf '{model.text.strip()}\\n' > {model.file}"})
        item = {
            "type": "custom_tool_call", "id": "ctc_1", "call_id": "call_1", "status": "completed", "name": "exec",
            "namespace": "functions", "input": f"text(await tools.exec_command({command}))",
        }  # fmt: skip
    usage = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}
    response = {"id": "resp_1", "object": "response", "status": "completed", "output": [item], "usage": usage}
    return [
        {"type": "response.created", "response": {**response, "status": "in_progress", "output": []}},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response},
    ]
