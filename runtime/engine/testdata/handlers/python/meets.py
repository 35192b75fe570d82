import os
import time

MEET = "/tmp/meet"


def handler(event, context):
    """Wait until as many invocations of this environment have come as the event says."""
    os.makedirs(MEET, exist_ok=True)
    open(f"{MEET}/{context.aws_request_id}", "x").close()
    while len(os.listdir(MEET)) < event["until"]:
        time.sleep(0.001)
    if "exit" in event:
        os._exit(event["exit"])
    return os.getpid()
