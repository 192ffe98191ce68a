"""The loop of a peer in Python: a JSON request a line on stdin, a JSON answer a line on stdout."""

import base64
import json
import os
import sys
from array import array


class Worker:
    """Answers what `bench/compare/protocol.ts` describes. A peer overrides what it can do."""

    def ready(self):
        """What the report says of the peer."""
        raise NotImplementedError

    def load(self, model, threads):
        raise NotImplementedError

    def prepare(self, case, model, threads, texts, ids):
        """Makes a case ready to run, with the settings that are best for it; returns their name."""
        raise NotImplementedError

    def run(self, case, times):
        """Seconds of each run, around the work alone."""
        raise NotImplementedError

    def vectors(self, case):
        """L2-normalised vectors of the last run, each an `array('f')`."""
        raise NotImplementedError


def base64_floats(values):
    return base64.b64encode(array("f", values).tobytes()).decode("ascii")


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
