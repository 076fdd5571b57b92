"""Output that breaks careless readers, by mode."""

import json, sys, time

mode, n = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 0
out = sys.stdout.buffer
if mode == "nan":
    out.write(b'{"step": 1, "loss": 0.5}\n{"step": 2, "loss": NaN}\n')
elif mode == "infinity":
    out.write(b'{"step": 1, "loss": Infinity}\n{"step": 2, "loss": -Infinity}\n{"step": 3, "loss": 0.25}\n')
elif mode == "long-line":
    out.write(b'{"step": 1, "loss": 0.5}\n')
    for _ in range(50):
        out.write(b"x" * 1_000_000)
    out.write(b'\n{"step": 2, "loss": 0.25}\n')
elif mode == "invalid-utf8":
    out.write(b'\xff\xfe{"step": 9}\n{"step": 1, "loss": 0.5, "\xff": 2}\n\xc3\n{"step": 2, "loss": 0.25}\n')
elif mode == "bad-step":
    out.write(b'{"step": "x"}\n{"step": "x", "loss": 1}\n{"step": null, "loss": 1}\n{"step": 1, "loss": 0.5}\n')
elif mode == "many-checkpoints":
    for i in range(1, n + 1):
        out.write(json.dumps({"event": "checkpoint_saved", "path": f"ck/{i}.pt", "step": i}).encode() + b"\n")
elif mode == "escapes":
    out.write(b"\x1b]0;OWNED\x07\x1b]52;c;UFdORUQ=\x07\x1b[31mred\x1b[0m \x9b5n [@click=app.quit]x[/]\n")
elif mode == "both-streams":
    for i in range(n):
        out.write(f"out {i}\n".encode())
        out.flush()
        sys.stderr.write(f"err {i}\n")
        sys.stderr.flush()
elif mode == "no-newline":
    out.write(b'{"step": 1, "loss": 0.5}\n{"step": 2, "loss": 0.25}')
elif mode == "flood":
    for i in range(n):
        out.write(b'{"step": %d, "loss": %.4f}\n' % (i + 1, 1 + i / 1e6))
out.flush()
