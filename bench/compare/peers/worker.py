"""The loop of a peer in Python: a JSON request a line on stdin, a JSON answer a line on stdout."""

import base64
import json
import os
import sys
from array import array


class Worker:
    """Answers what `bench/compare/protocol.ts` describes: a method each, for the cases it plays."""

    def ready(self):
        """What the report says of the peer."""
        raise NotImplementedError


def describe(system, arithmetic, loadings=("as it chooses",)):
    """What `ready` returns."""
    return {
        "name": os.environ["PEER_NAME"],
        "build": os.environ["PEER_BUILD"],
        "system": system,
        "arithmetic": arithmetic,
        "loadings": list(loadings),
    }


def base64_floats(values):
    return base64.b64encode(array("f", values).tobytes()).decode("ascii")


def base64_ints(values):
    return base64.b64encode(array("i", values).tobytes()).decode("ascii")


def normalize(values):
    length = sum(value * value for value in values) ** 0.5
    return [value / length for value in values]


def serve(worker):
    # Whatever a library prints goes to stderr: stdout is for answers.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)

    def answer(message):
        answers.write(json.dumps(message) + "\n")

    answer(worker.ready())
    for line in sys.stdin:
        request = json.loads(line)
        operation = request.pop("op")
        try:
            answer(getattr(worker, operation)(**request))
        except Exception as error:  # The harness says which peer failed, and with what.
            answer({"error": f"{type(error).__name__}: {error}"})
