import { AttributeType, type NodeProto } from "./_schema.ts";

/** What an attribute of a node holds, other than tensors and graphs. */
export type AttributeValue = number | string | readonly number[] | readonly string[];

/** The attributes of a node by name; those that hold tensors or graphs are undefined. */
export function attributesOf(
  { attribute }: NodeProto,
): Readonly<Record<string, AttributeValue | undefined>> {
  const text = (bytes: Uint8Array = new Uint8Array()) => new TextDecoder().decode(bytes);
  return Object.fromEntries(
    attribute.map(({ name, type, f, i, s, floats, ints, strings }) => {
      // A zero or an empty list may be left out of a file.
      if (type === AttributeType.float) return [name, f ?? 0];
      if (type === AttributeType.int) return [name, i ?? 0];
      if (type === AttributeType.string) return [name, text(s)];
      if (type === AttributeType.floats) return [name, floats ?? []];
      if (type === AttributeType.ints) return [name, ints ?? []];
      if (type === AttributeType.strings) return [name, (strings ?? []).map(text)];
      return [name, undefined];
    }),
  );
}
