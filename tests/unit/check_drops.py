#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Every row of include/byepass/drops.h is counted somewhere in the data path: no reason without a place."""
import pathlib
import re
import sys

root = pathlib.Path(sys.argv[1])
rows = re.findall(r"^\tX\((\w+), ", (root / "include/byepass/drops.h").read_text(), re.M)
code = "\n".join(path.read_text() for path in (root / "dataplane").rglob("*.c"))
unused = [row for row in rows if not re.search(rf"\bBP_DROP_{row}\b", code)]
if not rows or unused:
    sys.exit(f"drop reasons that nothing counts: {unused or 'no rows found'}")
print(f"{len(rows)} drop reasons, each counted somewhere")
