"""Makes the whole zoo: renders the worlds, then trains the backbones and the CLIPs.

    python tools/zoo/train_zoo.py [--models vit_b_16 ...] [--device cuda] [--smoke --out DIR]

It goes on where it was interrupted: a world that is rendered and a model whose card is in `--out` are
left as they are, so remove the cards of what shall be trained anew. `--smoke` does all of it in minutes,
with an epoch of a few images for each model.
"""

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from clip_recipes import MODELS
from recipes import RECIPES

TOOLS = Path(__file__).resolve().parent
REPOSITORY = TOOLS.parents[1]
PERMISSIONS = ["--allow-read", "--allow-write", "--allow-env", "--allow-ffi", "--allow-sys"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cache", type=Path, default=REPOSITORY / ".cache" / "zoo")
    parser.add_argument("--out", type=Path, default=REPOSITORY / "zoo")
    parser.add_argument("--models", nargs="+", default=[*RECIPES, *MODELS], choices=[*RECIPES, *MODELS])
    parser.add_argument("--device", help="where PyTorch computes; a GPU if there is one")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--deno", type=shlex.split, default=["deno"], help='e.g. "npx --yes deno@2.9.6"')
    parser.add_argument("--smoke", action="store_true", help="everything in miniature, into another --out")
    args = parser.parse_args()
    if args.smoke and args.out.resolve() == REPOSITORY / "zoo":
        parser.error("--smoke trains models that are good for nothing: give another --out")

    cache = args.cache / "smoke" if args.smoke else args.cache
    worlds, smoke = cache / "worlds", ["--smoke"] if args.smoke else []
    backbones = [name for name in RECIPES if name in args.models]
    clips = [name for name in MODELS if name in args.models]
    needed = ["backbones", "clip"] if clips else ["backbones"]
    run([*args.deno, "run", *PERMISSIONS, TOOLS / "export_worlds.ts", worlds, *needed, *smoke])
    common = ["--world", worlds / "backbones", "--out", args.out, "--cache", cache, *smoke]
    for option in ("device", "threads"):
        if getattr(args, option) is not None:
            common += [f"--{option}", getattr(args, option)]
    if backbones:
        run([sys.executable, TOOLS / "train.py", *common, "--models", *backbones])
    if clips:
        run([sys.executable, TOOLS / "train_clip.py", *common, "--train", worlds / "clip", "--models", *clips])


def run(command: list) -> None:
    subprocess.run([str(part) for part in command], check=True, cwd=REPOSITORY)


if __name__ == "__main__":
    main()
