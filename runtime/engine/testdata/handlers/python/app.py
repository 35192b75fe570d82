import decimal
import os
import sys
import time


class NoSuchOrder(Exception):
    pass


def echo(event, context):
    return event


def length(event, context):
    return len(event)


def nothing(event, context):
    pass


def raw(event, context):
    return b"\x01\x02" + "é".encode()


def money(event, context):
    return [decimal.Decimal("1.50"), decimal.Decimal("3.00")]


def fails(event, context):
    return event["action"]


def raises(event, context):
    raise NoSuchOrder("no such order: é")


def odd(event, context):
    return object()


def exits(event, context):
    sys.exit(3)


def hangs(event, context):
    time.sleep(3600)


def large(event, context):
    return "x" * event


def seen(event, context):
    return {
        "environ": dict(os.environ),
        "folder": os.getcwd(),
        "search": sys.path,
        "context": {
            "request": context.aws_request_id,
            "name": context.function_name,
            "version": context.function_version,
            "memory": context.memory_limit_in_mb,
            "arn": context.invoked_function_arn,
            "group": context.log_group_name,
            "stream": context.log_stream_name,
            "remaining": context.get_remaining_time_in_millis(),
            "installation": context.client_context and context.client_context.client.installation_id,
            "custom": context.client_context and context.client_context.custom["k"],
            "locale": context.client_context and context.client_context.env["locale"],
            "identity": context.identity.cognito_identity_id,
        },
    }
