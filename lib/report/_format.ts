/** A number with two decimals, as the paper prints its tables. */
export function formatValue(value: number): string {
  const text = value.toFixed(2);
  return text === "-0.00" ? "0.00" : text;
}

/** A difference with its sign. */
export function formatDifference(value: number): string {
  const text = formatValue(value);
  return text === "0.00" || text.startsWith("-") ? text : `+${text}`;
}

/** A p-value with four decimals; smaller ones are "< 0.0001". */
export function formatPValue(value: number): string {
  return value < 0.00005 ? "p < 0.0001" : `p = ${value.toFixed(4)}`;
}

/** A moment of values whose scale is not known: four significant digits. */
export function formatMoment(value: number): string {
  return value.toPrecision(4);
}
