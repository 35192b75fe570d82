"""Runs a handler in Python under the Lambda Runtime API.

What a handler sees (context, log format, environment) and what a caller sees
of its errors are as AWS documents them for its managed runtimes (Lambda
developer guide: "Define Lambda function handler in Python", "Using the Lambda
context object", "Log and monitor Python Lambda functions").

It speaks HTTP over a plain socket: http.client would take longer to import than
all the rest, and what is measured is the function.
"""

import importlib
import json
import logging
import os
import re
import socket
import sys
import time
import traceback

RUNTIME = "/2018-06-01/runtime/"
HERE = os.path.abspath(__file__)

request_id = ""  # of the invocation under way, for log lines
board = None  # where one of several processes says so to their parent


class Fault(Exception):
    """An error of the handler's set-up or of its data, in Lambda's own words."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind, self.trace = "Runtime." + kind, list(trace)


class API:
    """The Runtime API over one connection."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb")

    def ask(self, method, path, body=b"", **headers):
        """Send a request; return the status, the headers (lower case) and the body."""
        lines = [f"{method} {RUNTIME}{path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {oneline(value)}" for name, value in headers.items() if value]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
        if len(body) < 1 << 16:
            self.socket.sendall(head + body)
        else:
            self.socket.sendall(head)
            self.socket.sendall(body)
        status = self.reader.readline()
        if not status:
            sys.exit("the Runtime API has hung up")
        got = {}
        for line in iter(self.reader.readline, b"\r\n"):
            name, _, value = line.decode("utf-8", "replace").partition(":")
            got[name.lower()] = value.strip()
        return int(status.split()[1]), got, self.reader.read(int(got.get("content-length", 0)))

    def next(self):
        """Wait for an event."""
        status, headers, body = self.ask("GET", "invocation/next")
        if status != 200:
            sys.exit(f"no event from the Runtime API: {status} {body.decode('utf-8', 'replace')}")
        return headers, body

    def fail(self, path, error, **headers):
        """Report an error of an invocation, of init or of a restore."""
        self.ask("POST", path, encode(error).encode(), Content_Type="application/json",
                 Lambda_Runtime_Function_Error_Type=error["errorType"], **headers)


def oneline(value):
    """A header's value: a line break in it would begin another header."""
    return re.sub(r"[\r\n]+", " ", str(value))


class CognitoIdentity:
    """The caller's identity, of mobile applications."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, given):
        self.cognito_identity_id = given.get("cognitoIdentityId")
        self.cognito_identity_pool_id = given.get("cognitoIdentityPoolId")


class Client:
    """The client application, of mobile applications."""

    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")

    def __init__(self, given):
        for name in self.__slots__:
            setattr(self, name, given.get(name))


class ClientContext:
    """What the caller sent in X-Amz-Client-Context."""

    __slots__ = ("custom", "env", "client")

    def __init__(self, given):
        self.custom, self.env = given.get("custom"), given.get("env")
        client = given.get("client")
        self.client = None if client is None else Client(client)


class LambdaContext:
    """The second argument of a handler."""

    def __init__(self, headers):
        env = os.environ.get
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.function_name = env("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = env("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = env("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = env("AWS_LAMBDA_LOG_STREAM_NAME")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        client = given(headers, "lambda-runtime-client-context", "Client Context")
        self.client_context = None if client is None else ClientContext(client)
        self.identity = CognitoIdentity(given(headers, "lambda-runtime-cognito-identity", "Cognito Identity") or {})
        self._deadline_ms = int(headers["lambda-runtime-deadline-ms"])

    def get_remaining_time_in_millis(self):
        """Milliseconds until the invocation times out; never negative."""
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message):
        """Write a message to the log as it is."""
        sys.stdout.write(str(message))

    def __repr__(self):
        shown = ",".join(f"{k}={v}" for k, v in vars(self).items() if not k.startswith("_"))
        return f"LambdaContext([{shown}])"


def given(headers, name, what):
    """The JSON of a header; None without it."""
    text = headers.get(name)
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError as e:
        raise Fault("LambdaContextUnmarshalError", f"Unable to parse {what} JSON: {e}") from None


def number(value):
    """What json can't encode itself: a Decimal, as the number that it is."""
    decimal = sys.modules.get("decimal")  # who has one has imported it
    if decimal and isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


# From Python 3.12 on Lambda's answers hold characters as they are.
encode = json.JSONEncoder(default=number, ensure_ascii=sys.version_info < (3, 12)).encode


def load(handler):
    """Import the handler, which _HANDLER names as module.function."""
    module, dot, name = handler.rpartition(".")
    if not dot:
        raise Fault("MalformedHandlerName", f"Bad handler '{handler}': not enough values to unpack (expected 2, got 1)")
    if module.split(".")[0] in sys.builtin_module_names:
        raise Fault("BuiltInModuleConflict", f"Cannot use built-in module {module} as a handler module")
    try:
        found = importlib.import_module(module.replace("/", "."))
    except ImportError as e:
        raise Fault("ImportModuleError", f"Unable to import module '{module}': {e}") from None
    except SyntaxError as e:
        trace = f'  File "{e.filename}" Line {e.lineno}\n    {e.text}'
        raise Fault("UserCodeSyntaxError", f"Syntax error in module '{module}': {e}", [trace]) from None
    if not hasattr(found, name):
        raise Fault("HandlerNotFound", f"Handler '{name}' missing on module '{module}'")
    return getattr(found, name)


def described(e):
    """An exception as callers get it."""
    error = {"errorMessage": str(e), "errorType": type(e).__name__, "requestId": request_id, "stackTrace": []}
    if isinstance(e, Fault):
        error["errorType"], error["stackTrace"] = e.kind, e.trace
        return error
    frames = [(f.filename, f.lineno, f.name, f.line) for f in traceback.extract_tb(e.__traceback__)]
    while frames and frames[0][0] == HERE:
        del frames[0]
    error["stackTrace"] = traceback.format_list(frames)
    return error


class TextLine(logging.Formatter):
    """A line of the text format: level, time, request id, message."""

    converter = time.gmtime

    def __init__(self):
        super().__init__("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S")


class JSONLine(logging.Formatter):
    """An object of the JSON format, with what the caller added by extra."""

    usual = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "aws_request_id"}

    def format(self, record):
        line = {
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname, "message": record.getMessage(), "logger": record.name,
            "requestId": record.aws_request_id,
        }
        if record.exc_info:
            kind, value, trace = record.exc_info
            line.update(stackTrace=traceback.format_tb(trace), errorType=kind.__name__, errorMessage=str(value),
                        location=f"{record.pathname}:{record.funcName}:{record.lineno}")
        line.update((k, v) for k, v in vars(record).items() if k not in self.usual and k not in line)
        return json.dumps(line, default=str, ensure_ascii=False)


class WithRequest(logging.Filter):
    """Gives every record the id of the invocation under way."""

    def filter(self, record):
        record.aws_request_id = request_id
        return True


def in_json():
    return os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"


def set_up_log():
    """Give the root logger one handler. Its level stays WARNING unless the function's configuration says another."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JSONLine() if in_json() else TextLine())
    handler.addFilter(WithRequest())
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper().replace("TRACE", "DEBUG").replace("FATAL", "CRITICAL")
    if isinstance(logging.getLevelName(level), int):
        root.setLevel(level)


def log_error(error):
    """Log what went wrong, as Lambda does for every error that it reports."""
    if in_json():
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        print(encode({"timestamp": now, "level": "ERROR", **error}))
        return
    lines = [f"[ERROR] {error['errorType']}: {error['errorMessage']}"]
    if error["stackTrace"]:
        lines += ["Traceback (most recent call last):"] + [e.rstrip("\n") for e in error["stackTrace"]]
    sys.stdout.write("\n".join(lines) + "\n")


def snapshot(api):
    """Run the hooks around a snapshot, as SnapStart does (snapshot_restore_py)."""
    import snapshot_restore_py as hooks

    try:
        for call, args, kwargs in reversed(hooks.get_before_snapshot()):
            call(*args, **kwargs)
        api.ask("GET", "restore/next")
    except Exception as e:
        give_up(api, "init/error", e)
    try:
        for call, args, kwargs in hooks.get_after_restore():
            call(*args, **kwargs)
    except Exception as e:
        give_up(api, "restore/error", e)


def give_up(api, path, e):
    """Report an error after which there is nothing to run."""
    error = described(e)
    log_error(error)
    api.fail(path, error)
    sys.exit(1)


class Board:
    """What the parent of several processes knows of one: the invocation that it is at."""

    def __init__(self):
        import mmap  # Only several processes need one.

        self.shared = mmap.mmap(-1, 64)

    def write(self, text):
        self.shared[:] = text.encode().ljust(64)[:64]

    def read(self):
        return self.shared[:].decode().strip()


def multiply(n):
    """Become one of n processes, each with an init of its own and one invocation at a time.

    It is how AWS's runtime serves several (developer guide: "Python runtime for Lambda
    Managed Instances"). The parent stays behind: of a process that dies in an invocation
    it reports that, which AWS says nothing of, and starts another; one that dies
    otherwise ends all.
    """
    global board
    boards, children = [Board() for _ in range(n)], {}
    free = list(range(n))
    while True:
        while free:
            board = boards[free.pop()]
            board.write("")
            pid = os.fork()
            if pid == 0:
                return
            children[pid] = boards.index(board)
        pid, status = os.wait()
        if pid not in children:
            continue
        died = children.pop(pid)
        code, request = os.waitstatus_to_exitcode(status), boards[died].read()
        if not request:
            os._exit(max(code, 1))
        how = f"exit status {code}" if code >= 0 else f"signal: {-code}"
        error = {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: {request} Error: Runtime exited with error: {how}"}
        API(os.environ["AWS_LAMBDA_RUNTIME_API"]).fail(f"invocation/{request}/error", error)
        free.append(died)


def serve(api, handler):
    """Serve one invocation."""
    global request_id
    headers, body = api.next()
    request_id = headers["lambda-runtime-aws-request-id"]
    if board:
        board.write(request_id)
    attempt = headers.get("lambda-runtime-invocation-id")
    trace = headers.get("lambda-runtime-trace-id")
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    try:
        content, result = answer(handler, headers, body)
    except Exception as e:
        error = described(e)
        log_error(error)
        api.fail(f"invocation/{request_id}/error", error, Lambda_Runtime_Invocation_Id=attempt)
    else:
        api.ask("POST", f"invocation/{request_id}/response", result, Content_Type=content, Lambda_Runtime_Invocation_Id=attempt)
    if board:
        board.write("")


def answer(handler, headers, body):
    """Call the handler; return its answer with the type of its content."""
    event = body
    if headers.get("content-type", "").split(";")[0].strip() == "application/json":
        try:
            event = json.loads(body)
        except ValueError as e:
            raise Fault("UnmarshalError", f"Unable to unmarshal input: {e}") from None
    result = handler(event, LambdaContext(headers))
    if isinstance(result, bytes):
        return "application/unknown", result
    try:
        return "application/json", encode(result).encode()
    except Exception as e:
        raise Fault("MarshalError", f"Unable to marshal response: {e}") from None


def main():
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    # AWS's order (developer guide: "Python runtime search path"): the function,
    # its layers, and then this folder and the interpreter's own.
    sys.path[0:1] = [os.getcwd(), f"/opt/python/lib/{version}/site-packages", "/opt/python", os.path.dirname(HERE)]
    parallel = int(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY") or 1)
    if parallel > 1:
        multiply(parallel)
    api = API(os.environ["AWS_LAMBDA_RUNTIME_API"])
    set_up_log()
    try:
        handler = load(os.environ["_HANDLER"])
    except Exception as e:
        give_up(api, "init/error", e)
    if os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start":
        snapshot(api)
    while True:
        serve(api, handler)
