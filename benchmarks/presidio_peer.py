"""Runs in the peer's own environment: texts on standard input, seconds of each pass on standard output."""

import json
import sys
import time
from importlib.metadata import version

from presidio_analyzer.predefined_recognizers import EmailRecognizer, PhoneRecognizer, UsSsnRecognizer


def run(texts: list[str]) -> float:
    recognisers = [
        (EmailRecognizer(), "EMAIL_ADDRESS"), (UsSsnRecognizer(), "US_SSN"), (PhoneRecognizer(), "PHONE_NUMBER"),
    ]
    start = time.process_time()
    for text in texts:
        for recogniser, entity in recognisers:
            recogniser.analyze(text, [entity], None)
    return time.process_time() - start


def main() -> None:
    texts = json.load(sys.stdin)
    seconds = [run(texts) for _ in range(int(sys.argv[1]))]
    print(json.dumps({"version": version("presidio-analyzer"), "seconds": seconds}))


if __name__ == "__main__":
    main()
