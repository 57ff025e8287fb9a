import type { Random } from "../../lib/tensor/mod.ts";
import { joined } from "./_mutations.ts";

const text = new TextEncoder();
const names = [
  "collections OrderedDict",
  "torch FloatStorage",
  "torch DoubleStorage",
  "torch ComplexFloatStorage",
  "torch Tensor",
  "torch._utils _rebuild_tensor",
  "torch._utils _rebuild_tensor_v2",
  "torch._utils _rebuild_tensor_v3",
  "torch._utils _rebuild_parameter",
  "torch._utils _rebuild_parameter_with_state",
  "torch._tensor _rebuild_from_type_v2",
  "argparse Namespace",
  "os system",
];
const strings = ["storage", "module", "0", "1", "cpu", "w", "state_dict", "__proto__", "data"];

/** Instructions that a state dict is made of, in likely groups. */
const instructions: readonly ((random: Random) => Uint8Array)[] = [
  ...["(", "N", "\x88", "\x89", "]", "}", ")", "t", "\x85", "\x86", "\x87", "a", "e", "s", "u"]
    .map((code) => () => latin1(code)),
  ...["R", "R", "b", "Q", "\x81"].map((code) => () => latin1(code)),
  (random) => latin1(`K${String.fromCharCode(random.integer(6))}`),
  (random) => latin1(`q${String.fromCharCode(random.integer(8))}`),
  (random) => latin1(`h${String.fromCharCode(random.integer(8))}`),
  (random) => latin1(`J${"\xff".repeat(random.integer(5)).padEnd(4, "\0")}`),
  (random) => string(random.pick(strings)),
  (random) => latin1(`c${random.pick(names).replace(" ", "\n")}\n`),
  (random) => storage(random),
  (random) => tensor(random),
  (random) => joined(string(random.pick(strings)), tensor(random), latin1("s")),
];

/** A pickle of a dict of tensors, in which one value in four is made by random instructions. */
export function randomPickle(random: Random): Uint8Array {
  const entries = Array.from({ length: 1 + random.integer(4) }, (_, i) => {
    const value = random.integer(4) > 0 ? tensor(random) : joined(
      ...Array.from({ length: 1 + random.integer(12) }, () => random.pick(instructions)(random)),
    );
    return joined(string(`${random.pick(strings)}${i}`), value, latin1("s"));
  });
  return joined(latin1("\x80\x02}"), ...entries, latin1("."));
}

/** A call of torch's that is right or nearly so. */
function tensor(random: Random): Uint8Array {
  const rank = random.integer(3);
  const extents = () =>
    latin1(`(${Array.from({ length: rank }, () => `K${number(random)}`).join("")}t`);
  const isV2 = random.integer(4) > 0;
  const more = random.pick(["", "", "", "}", "N", "K\x07"]);
  return joined(
    latin1(`c${(isV2 ? names[6]! : random.pick(names.slice(5, 8))).replace(" ", "\n")}\n(`),
    storage(random),
    latin1(`K${number(random)}`),
    extents(),
    extents(),
    latin1(`\x89ccollections\nOrderedDict\n)R${more}tR`),
  );
}

function storage(random: Random): Uint8Array {
  const type = random.pick(names.slice(1, 4)).replace(" ", "\n");
  return joined(
    latin1("("),
    string(random.integer(9) > 0 ? "storage" : "module"),
    latin1(`c${type}\n`),
    string(random.pick(["0", "1", "2"])),
    string("cpu"),
    latin1(`K${String.fromCharCode(random.integer(9) > 0 ? 4 : 255)}tQ`),
  );
}

function number(random: Random): string {
  return String.fromCharCode(random.pick([0, 1, 1, 1, 2, 2]));
}

function string(value: string): Uint8Array {
  const encoded = text.encode(value);
  const length = new Uint8Array(Uint32Array.of(encoded.length).buffer);
  return joined(latin1("X"), length, encoded);
}

function latin1(value: string): Uint8Array {
  return Uint8Array.from(value, (character) => character.charCodeAt(0));
}
