/** The claims of the paper, judged by results. */
export * from "./ledger.ts";
export * from "./ledger_text.ts";
