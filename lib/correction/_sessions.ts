import { type Device, openSession, type Session } from "../onnx/mod.ts";

/** Graphs of gradient steps, each built and loaded once. */
export interface Sessions {
  /** The session of a graph that `name` and `terms` determine. */
  get<Terms>(
    name: string,
    options: { readonly terms: Terms; readonly build: (terms: Terms) => Uint8Array },
  ): Promise<Session>;
  close(): Promise<void>;
}

/** Sessions of one thread: the products of a step are too small to share. */
export function openSessions({ device }: { readonly device: Device }): Sessions {
  const sessions = new Map<string, Promise<Session>>();
  return {
    get(name, { terms, build }) {
      const key = name + JSON.stringify(terms);
      const open = sessions.get(key) ?? openSession(build(terms), { device, threads: 1 });
      sessions.set(key, open);
      return open;
    },
    async close() {
      for (const open of sessions.values()) await (await open).close();
      sessions.clear();
    },
  };
}
