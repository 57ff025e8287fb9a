import {
  dictionary,
  float64,
  int32,
  tableFromArrays,
  tableFromIPC,
  tableToIPC,
  utf8,
} from "@uwdata/flechette";
import type { Level, Run } from "../experiment/mod.ts";
import { columnsOf, levelOfText } from "./runs_csv.ts";

/**
 * runs.arrow: the sorted runs in the Arrow IPC file format, uncompressed, for arquero, pyarrow,
 * polars and the like. Text is in dictionaries, also that of a factor with both names and numbers;
 * whole numbers are int32, value, weight and other numbers float64.
 */
export function runsArrow(runs: readonly Run[]): Uint8Array {
  const columns = columnsOf(runs);
  const texts = Object.entries(columns).filter(([, values]) =>
    values.some((value) => typeof value === "string")
  );
  const data = {
    ...columns,
    ...Object.fromEntries(texts.map(([name, values]) => [name, values.map(String)])),
  };
  const types = Object.fromEntries(
    Object.entries(data).map(([name, values]) => [name, columnType(name, values)]),
  );
  const bytes = tableToIPC(tableFromArrays(data, { types }), { format: "file" });
  if (bytes === null) throw new Error("Writing runs.arrow gave no bytes.");
  return bytes;
}

function columnType(name: string, values: readonly (string | number)[]) {
  if (name === "value" || name === "weight") return float64();
  if (ownColumns.has(name) || typeof values[0] === "string") return dictionary(utf8(), int32());
  return values.every((value) => value === (Number(value) | 0)) ? int32() : float64();
}

const required = ["measure", "concept", "class", "value", "weight", "status"] as const;
const ownColumns: ReadonlySet<string> = new Set([...required, "image"]);

/**
 * The runs in the bytes of a runs.arrow; what is no column of every run is a factor.
 *
 * @throws {TypeError} when a column is missing or something is in it that is no run.
 */
export function readRunsArrow(bytes: Uint8Array): Run[] {
  const table = tableFromIPC(bytes);
  const missing = required.filter((name) => !table.names.includes(name));
  if (missing.length > 0) {
    throw new TypeError(`Reading runs.arrow: it has no column ${missing.join(", ")}.`);
  }
  const columns = table.names.map((name) => {
    const values: (string | number)[] = [...table.getChild(name).toArray()];
    return [name, ownColumns.has(name) ? values : values.map(levelOf)] as const;
  });
  const [own, factors] = [true, false].map((isOwn) =>
    columns.filter(([name]) => ownColumns.has(name) === isOwn)
  ) as [typeof columns, typeof columns];
  const at = (part: typeof columns, row: number) =>
    Object.fromEntries(part.map(([name, values]) => [name, values[row]]));
  return Array.from({ length: table.numRows }, (_, row) => {
    const run = { levels: at(factors, row), image: "", ...at(own, row) } as unknown as Run;
    const { status, value, weight } = run;
    if (
      status !== "measured" || !Number.isFinite(value) || !(Number.isFinite(weight) && weight >= 0)
    ) {
      throw new TypeError(
        `Reading runs.arrow: row ${row} is ${status} with value ${value} and weight ${weight}; ` +
          `only measured, finite values are tabulated, with weights of 0 or more.`,
      );
    }
    return run;
  });
}

const levelOf = (value: string | number): Level =>
  typeof value === "string" ? levelOfText(value) : value;
