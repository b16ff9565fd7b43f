#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""scripts/decode-state as people call it: arguments, and as a filter.

decode_test.py SOURCE-ROOT BUILD
"""
import os
import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(sys.argv[1]) / "scripts/decode-state"
ENVIRONMENT = dict(os.environ, BYP_BUILD=sys.argv[2])
HELD = "0x0000000500c81013"  # generation 5, status 200, one branch pending, CANCEL asked
BRANCH = "z9hG4bKbp00000007000000ff30123456789abcdef"
wrong = 0


def run(*arguments, text=""):
    done = subprocess.run([SCRIPT, *arguments], input=text, capture_output=True, text=True, env=ENVIRONMENT)
    return done.returncode, done.stdout, done.stderr


def expect(what, got, *wanted, no=()):
    """Every text of @wanted, and none of @no."""
    global wrong
    missing = [text for text in wanted if text not in got]
    unwanted = [text for text in no if text in got]
    if missing or unwanted:
        wrong += 1
        print(f"{what}: without {missing}, with {unwanted}:\n{got}")


def expect_status(what, got, wanted):
    global wrong
    if got != wanted:
        wrong += 1
        print(f"{what}: exit {got}, not {wanted}")


def arguments():
    status, out, _ = run("--server", "--invite", HELD)
    expect_status("a server word", status, 0)
    expect("a server word", out, "server word: generation 5, status 200, pending 1, cancel_asked, state IST_ACCEPTED\n")
    expect("sixteen digits", run("--server", "--other", HELD[2:])[1], "generation 5", "state NIST_TERMINATED\n")
    expect("a decimal", run("--branch", "--invite", str(5 << 32 | 0x11))[1],
           "branch word: generation 5, 1xx_seen, state ICT_PROCEEDING\n")
    expect("sixteen decimal digits", run("--branch", "--invite", "4294967296000001")[1],
           f"generation {4294967296000001 >> 32},")
    expect("a dialog", run("--dialog", "0x300000013")[1], "dialog word: generation 3, held, state DIALOG_CONFIRMED\n")
    expect("both readings", run("0x500000001")[1], "server word:", "IST_COMPLETED or NIST_PROCEEDING",
           "branch word:", "ICT_PROCEEDING or NICT_PROCEEDING")
    expect("pending is the server's alone", run(HELD)[1], "server word:", no=["branch word:"])
    expect("no word at all", run("0xf")[1], "server word:", "branch word:", "15 (there is none)")
    expect("a branch", run(BRANCH)[1], "index 7, generation 255, branch 3\n")
    expect("stateless", run("z9hG4bKbs0123456789abcdef")[1], "branch without a record")


def tokens():
    # As route_token.c writes them: key 5, IPv4, callee; node 4095, epoch, index, generation, listener, port, address
    v4 = "UQ__ZVPxABI0VngAAAAJAAMTxsAAAgEAAAAAAAAAAA"
    expect("a route token", run(v4)[1], "key 5, node 4095, epoch 1700000000, used by the callee, "
           "call 305419896 generation 9, onward to 192.0.2.1:5062 by listener mark 3\n")
    line = f"Record-Route: <sip:{v4}@192.0.2.1:5060;lr>\n"
    expect("a route token in its header", run(text=line)[1], line, "  " + v4 + "  route token: key 5")
    expect("no token without its place", run(text=v4 + "\n")[1], v4, no=["route token"])


def errors():
    status, out, err = run("nonsense", "0x500000001")
    expect_status("nonsense", status, 1)
    expect("nonsense", err, '"nonsense" is no word')
    expect("the word behind it", out, "server word:")
    expect_status("an unknown option", run("--upstream", "0x1")[0], 2)
    expect_status("too many digits", run("0x12345678901234567")[0], 1)
    expect_status("not only digits", run("0x5zz")[0], 1)
    expect_status("a sign", run("0x-5")[0], 1)
    expect_status("nothing", run("")[0], 1)


def stream():
    text = (f"  server = {5 << 32 | 1 << 12},\n  branch = 0x500000001, live = 0x7ffff6e01240\n$3 = 0x700b40011\n"
            "0x7fff12345678:\t0x0000000500000001\n"
            f"Via: SIP/2.0/UDP 10.0.0.1:5060;branch={BRANCH}\nCSeq: 7 INVITE\n")
    status, out, _ = run("--invite", text=text)
    lines = out.splitlines()
    expect_status("a filter", status, 0)
    for line in text.splitlines():
        expect("every line passes", "\n".join(lines), line)
    expect("what stands in a line comes below it", out,
           "  server = 21474840576,\n"
           "  0x0000000500001000  server word: generation 5, pending 1, state IST_PROCEEDING\n",
           "\n  0x0000000500000001  branch word: generation 5, state ICT_PROCEEDING\n$3 =",
           "$3 = 0x700b40011\n  0x0000000700b40011  server word: generation 7, status 180, cancel_asked, ",
           "index 7, generation 255, branch 3\nCSeq: 7 INVITE\n",
           no=["0x00007ffff6e01240", "0x00007fff12345678", "0x0000000000000007  "])
    expect("all hexadecimal numbers when it is known whose", run("--branch", text="a 0x1, b 17\n")[1],
           "0x0000000000000001  branch word: generation 0, state ICT_PROCEEDING", no=["0x0000000000000011"])
    expect("no last line end", run("--branch", text="x 0x1")[1], "x 0x1\n", "branch word")


for part in (arguments, tokens, errors, stream):
    part()
print("wrong:" if wrong else "all as it should be", wrong or "")
sys.exit(bool(wrong))
