#!/bin/bash
# SPDX-License-Identifier: MIT
# The endpoints for operators: where they listen, what they say, and whether Prometheus would read
# it.
. "$(dirname "$0")/lib.sh"
python3 "$(dirname "$0")/ops.py" "$build/tests/runner/ops-driver" "$scratch"
