#!/bin/bash
# A training behind a shell script, in its foreground.
"${PYTHON:-python3}" "$(dirname "$0")/metrics.py" "$@"
