"""Check 43 field cases: real-world inputs, reconstructed from public reports and sample files.

python benchmarks/field_cases.py ../shared/data/field-cases
python benchmarks/field_cases.py FOLDER --pointmask old/.venv/bin/pointmask --only masks-0-1 --json cases.json

Each folder of FOLDER is a case, whose README describes the commands, the right outcome and the outcome when
it was written. The commands run in a copy, and only the visible outcome is judged: exit status,
output, and masks against the targets in the images. A case is ``right``, ``refused`` (a reasonable input
is refused, or the message does not help; nothing false is written), ``wrong`` (something false
is written, but the exit status reports a problem) or ``wrong in silence`` (exit status 0). The
exit status is 1 if any case is not right, or is missing.
"""

import argparse
import json
import sys
from collections import Counter
from pathlib import Path

from field.judge import VERDICTS, judge
from field.kinds import KINDS
from field.scenes import BrokenCaseError


def main() -> None:
    """Judge the cases; print one line for each, and the counts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="folder of the cases, one folder each")
    parser.add_argument("--pointmask", type=Path, default=Path(sys.executable).with_name("pointmask"))
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these cases")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all judgements, by command")
    options = parser.parse_args()
    program = options.pointmask.absolute()
    cases = {case.name: (kind, case) for kind, group in KINDS.items() for case in group}
    available = {path.name for path in options.folder.iterdir() if path.is_dir()}
    if not program.is_file():
        parser.error(f"{program} is not there; give the program with --pointmask")
    unknown = sorted(set(options.only or ()) - cases.keys())
    if unknown:
        parser.error(f"no case is called {', '.join(unknown)}; there are {', '.join(sorted(cases))}")
    names = options.only or sorted(cases)
    missing = sorted(set(names) - available)
    unjudged = [] if options.only else sorted(available - cases.keys())
    counts: Counter[str] = Counter()
    records = []
    width = max(map(len, names))
    for name in names:
        if name in missing:
            continue
        kind, case = cases[name]
        try:
            judgement = judge(case, options.folder, program)
        except BrokenCaseError as error:
            sys.exit(f"{name}: {error}; the case is not the one that its judgement was written for")
        counts[judgement.verdict] += 1
        records.append({"kind": kind, **judgement.record()})
        print(f"{kind}  {name:{width}}  {judgement.verdict:16}  {judgement.why}".rstrip(), flush=True)
    for name in missing:
        print(f"{name}: not in {options.folder}")
    for name in unjudged:
        print(f"{name}: no judgement is written for it")
    print(", ".join(f"{counts[verdict]} {verdict}" for verdict in VERDICTS), f"of {len(records)} cases")
    if options.json:
        options.json.write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.exit(counts["right"] < len(names) or bool(unjudged))


if __name__ == "__main__":
    main()
