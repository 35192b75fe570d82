"""A handler for SnapStart, with state of its own, of Python and of its C libraries."""

import ctypes, decimal, os, random, signal, socket, subprocess, threading, time, uuid  # noqa: E401

import snapshot_restore_py as hooks

born = uuid.uuid4().hex
table = {n: str(n) * 8 for n in range(20000)}
calls, signals = [], []
hooks.register_before_snapshot(calls.append, "before")
hooks.register_after_restore(calls.append, "after")
signal.signal(signal.SIGUSR1, lambda *a: signals.append(1))
started = time.monotonic()
kept = open(__file__)
kept.read(9)

mode = os.environ.get("MODE")
if mode == "threads":
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
elif mode == "child":
    child = subprocess.Popen(["/bin/sleep", "600"])
elif mode == "tmp":
    open("/tmp/left", "w").close()
elif mode == "pipe":
    pipe = os.pipe()
elif mode == "socket":
    listener = socket.create_server(("127.0.0.1", 7777))
elif mode == "shared":
    import mmap

    memory = mmap.mmap(-1, 4096)
elif mode == "timer":
    signal.setitimer(signal.ITIMER_REAL, 600)
elif mode == "init":
    raise ValueError("no configuration")
elif mode == "hook":

    def fails():
        raise ValueError("no connection")

    hooks.register_after_restore(fails)
elif mode == "exit":
    hooks.register_after_restore(os._exit, 3)


def handler(event, context):
    if event == "eat":
        return len(bytearray(1 << 30))
    if event == "surroundings":
        return surroundings()
    if isinstance(event, list):
        return [subprocess.run(["/var/task/escape", *e.split()], capture_output=True).stdout.decode() for e in event]
    open("/tmp/mine", "x").close()
    os.kill(os.getpid(), signal.SIGUSR1)
    threads = []
    t = threading.Thread(target=lambda: threads.append(ctypes.CDLL(None).getppid()))
    t.start()
    t.join()
    return {
        "born": born, "calls": calls, "signals": len(signals), "row": table[19999], "rest": len(kept.read()) + 9 == os.path.getsize(__file__),
        "pid": os.getpid(), "host": socket.gethostname(), "tmp": os.listdir("/tmp"), "threads": threads,
        "random": os.urandom(8).hex(), "same": random.random(), "now": time.time(), "age": time.monotonic() - started,
        "sum": str(sum(decimal.Decimal(n) / 4 for n in range(10))), "child": subprocess.run(["/bin/echo", "a"], capture_output=True).stdout.decode(),
        "big": sum(bytearray(b"\1") * (8 << 20)), "type": os.environ["AWS_LAMBDA_INITIALIZATION_TYPE"],
        "stream": os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME"),
    }


def surroundings():
    """What isolates and limits this process, as it sees it."""
    wanted = ("Uid", "Gid", "Groups", "Umask", "NSpid", "Cap", "NoNewPrivs", "Seccomp")
    status = [line for line in open("/proc/self/status") if line.startswith(wanted)]
    mounts = [" ".join(line.split()[3:6] + line.split("-")[-1].split()[:2]) for line in open("/proc/self/mountinfo")]
    mounts = [m for m in mounts if not m.endswith(" overlay overlay")]
    names = {n: os.path.exists("/proc/self/ns/" + n) for n in os.listdir("/proc/self/ns")}
    kinds = sorted(os.readlink("/proc/self/fd/" + f).split(":")[0] for f in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + f) or int(f) < 3)
    return {"status": status, "mounts": mounts, "limits": open("/proc/self/limits").read(), "kinds": kinds, "names": names, "dir": os.getcwd(), "comm": open("/proc/self/comm").read()}
