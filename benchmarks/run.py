"""Runs all benchmarks one after the other and prints their tables: python benchmarks/run.py [NAME ...]

Numbers are of use on a machine that does nothing else. Each benchmark also runs alone and explains itself: python benchmarks/NAME.py -h
"""
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(names: list[str]) -> int:
    known = {path.stem: path for path in sorted(HERE.glob("*.py")) if path != Path(__file__).resolve()}
    if unknown := [name for name in names if name not in known]:
        print(f"There is no benchmark {unknown[0]}; there are {', '.join(known)}.", file=sys.stderr)
        return 2
    failed = 0
    for name in names or known:
        print(f"\n{name}", flush=True)
        failed += subprocess.run([sys.executable, str(known[name])]).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
