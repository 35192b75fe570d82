import ctypes, decimal, json, os, random, signal, socket, time, uuid  # noqa: E401 heavy, and with state of C libraries

import snapshot_restore_py as hooks

born = uuid.uuid4().hex
table = {n: str(n) * 8 for n in range(20000)}
calls = []
signalled = []


@hooks.register_before_snapshot
def before():
    calls.append("before")


@hooks.register_after_restore
def after():
    calls.append("after")


signal.signal(signal.SIGUSR1, lambda *a: signalled.append(1))
started = time.monotonic()


def handler(event, context):
    if event == "eat":
        block = bytearray(1 << 30)
        return len(block)
    if event == "write":
        with open("/tmp/mine", "x") as f:
            f.write("x")
    os.kill(os.getpid(), signal.SIGUSR1)
    table[-1] = calls
    state = {n: table[n] for n in (0, 19999)}
    x = sum(decimal.Decimal(n) / 3 for n in range(10))
    return {
        "born": born, "calls": calls, "signalled": len(signalled), "state": state, "pid": os.getpid(), "uid": os.getuid(),
        "tmp": os.listdir("/tmp"), "host": socket.gethostname(), "networks": os.listdir("/sys/class/net"),
        "random": os.urandom(8).hex(), "again": random.random(), "now": time.time(), "age": time.monotonic() - started, "sum": str(x),
        "type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"], "dir": os.getcwd(),
        "threads": threads(),
    }


def threads():
    """Start a thread, which needs the C library's own state to be right."""
    import threading

    done = []
    t = threading.Thread(target=lambda: done.append(uuid.uuid4().hex))
    t.start()
    t.join()
    import subprocess

    return [len(done), subprocess.run(["/bin/echo", "child"], capture_output=True).stdout.decode()]
