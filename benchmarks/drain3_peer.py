"""Runs in the peer's own environment: lists of messages on standard input, groups and seconds on standard output."""

import json
import sys
import time

from drain3 import TemplateMiner
from drain3.masking import MaskingInstruction
from drain3.template_miner_config import TemplateMinerConfig

# The masks of drain3's own example configuration.
_BEFORE, _AFTER = r"((?<=[^A-Za-z0-9])|^)", r"((?=[^A-Za-z0-9])|$)"
MASKS = {
    "IP": r"(\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})",
    "HEX": r"(0x[a-f0-9A-F]+)",
    "NUM": r"([\-\+]?\d+)",
}


def new_miner() -> TemplateMiner:
    config = TemplateMinerConfig()
    config.profiling_enabled = False
    config.masking_instructions = [
        MaskingInstruction(_BEFORE + mask + _AFTER, name) for name, mask in MASKS.items()
    ]
    return TemplateMiner(config=config)


def run(messages: list[str]) -> tuple[list[int], float]:
    add = new_miner().add_log_message
    start = time.perf_counter()
    answers = [add(message) for message in messages]
    seconds = time.perf_counter() - start
    return [answer["cluster_id"] for answer in answers], seconds


def main() -> None:
    sets = json.load(sys.stdin)
    passes = [[run(messages) for messages in sets] for _ in range(int(sys.argv[1]))]
    groups = [groups for groups, _ in passes[-1]]
    json.dump({"groups": groups, "seconds": [[s for _, s in one] for one in passes]}, sys.stdout)


if __name__ == "__main__":
    main()
