/** Running notebooks headless with the Deno kernel, without Python or Jupyter. */
export * from "./execute.ts";
export * from "./kernel.ts";
export * from "./messages.ts";
export * from "./notebook.ts";
export * from "./output.ts";
export * from "./run_notebooks.ts";
export * from "./zmtp.ts";
