import logging


def handler(event, context):
    print("printed é")
    logging.debug("detail %d", 7)
    logging.warning("careful", extra={"order": 7})
    raise ValueError("two")
