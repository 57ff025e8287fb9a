import assert from "node:assert/strict";
import { claimsSchema, loadConfig, parseConfig } from "../../lib/config/mod.ts";
import { combinationsOf, experimentSchema, type Levels } from "../../lib/experiment/mod.ts";
import {
  type Contrast,
  findings,
  judgeClaims,
  ledgerCsv,
  ledgerMarkdown,
  type LedgerSource,
} from "../../lib/report/mod.ts";

const test = (expected: string, fields: Record<string, unknown> = {}) => ({
  experiment: "table1",
  measure: "concept_accuracy",
  factor: "method",
  level: "lg_cav",
  against: "original_cav",
  expected,
  ...fields,
});
const claim = (id: string, tests: unknown[]) => ({ id, text: `It ${id}`, paper: "Table 1", tests });
const claimsOf = (...claims: unknown[]) =>
  parseConfig("claims.json", claimsSchema, { spec: { sweeps: ["epochs", "dial_*"], claims } });

function contrast(effect: number, fields: Partial<Contrast> = {}): Contrast {
  return {
    factor: "method",
    level: "lg_cav",
    against: "original_cav",
    levels: { measure: "concept_accuracy", dataset: "broden" },
    pooledOver: ["backbone"],
    cells: 9,
    concepts: 40,
    seeds: 4,
    effect,
    low: effect - 0.1,
    high: effect + 0.1,
    pValue: 0.001,
    correctedPValue: 0.002,
    equivalence: null,
    verdict: effect > 0 ? "above" : "below",
    variance: { concept: 1, seed: 0, residual: 1 },
    toSettle: null,
    ...fields,
  };
}

function source(experiment: string, contrasts: readonly Contrast[]): LedgerSource {
  const hashes = { manifest: "m", contrastsHash: "c" };
  return { experiment, ...hashes, stale: false, confidence: 0.95, contrasts };
}

Deno.test("judgeClaims() says holds, fails, in part, undecided and not run where they are due", () => {
  const undecided = contrast(0.05, {
    against: "oa_tcav",
    verdict: "undecided",
    pValue: 0.4,
    correctedPValue: 0.4,
  });
  const open = { against: "oa_tcav" };
  const missing = { experiment: "table2" };
  const { claims } = judgeClaims(
    claimsOf(
      claim("holds", [test("above")]),
      claim("fails", [test("below")]),
      claim("splits", [test("above"), test("below")]),
      claim("waits", [test("above"), test("above", open)]),
      claim("lacks", [test("above"), test("above", missing)]),
      claim("lacks_and_fails", [test("below"), test("above", missing)]),
    ),
    { profile: "world", sources: [source("table1", [contrast(1), undecided])] },
  );
  assert.deepEqual(
    claims.map(({ verdict }) => verdict),
    ["holds", "fails", "in part", "undecided", "not run", "fails"],
  );
});

Deno.test("judgeClaims() corrects for the number of tests, and reads a contrast either way round", () => {
  const turned = { level: "original_cav", against: "lg_cav" };
  const p = { pValue: 0.02, correctedPValue: 0.02 };
  const judge = (count: number) =>
    judgeClaims(
      claimsOf(...Array.from({ length: count }, (_, i) => claim(`c${i}`, [test("below", turned)]))),
      { profile: "world", sources: [source("table1", [contrast(1, p)])] },
    ).claims[0]!.tests[0]!.found!;
  const alone = judge(1);
  assert.deepEqual([alone.effect, alone.low, alone.high], [-1, -1.1, -0.9]);
  assert.deepEqual([alone.correctedPValue, alone.verdict], [0.02, "below"]);
  const among = judge(3);
  assert.deepEqual([among.correctedPValue, among.verdict], [0.06, "undecided"]);
});

Deno.test("judgeClaims() takes pooled contrasts of the measure and the levels that are named", () => {
  const at = (levels: Levels) => ({ levels: { measure: "concept_accuracy", ...levels } });
  const contrasts = [
    contrast(1, at({ layer: "last" })),
    contrast(2, at({ layer: "intermediate" })),
    contrast(3, { ...at({ layer: "last" }), pooledOver: null }),
    contrast(4, { levels: { measure: "tcav_score", layer: "last" } }),
  ];
  const found = (where: Levels) =>
    judgeClaims(claimsOf(claim("c", [test("above", { where })])), {
      profile: "world",
      sources: [source("table1", contrasts)],
    }).claims[0]!.tests[0]!.found;
  assert.equal(found({ layer: "last" })!.effect, 1);
  assert.equal(found({ layer: "intermediate" })!.effect, 2);
  // Of two that fit none is taken.
  assert.equal(found({}), null);
});

Deno.test("ledgers say over which levels a claim holds and which dial reverses it", () => {
  const swept = (factor: string, effects: readonly number[]) =>
    effects.map((effect, level) =>
      contrast(effect, { levels: { measure: "concept_accuracy", [factor]: level } })
    );
  const ledger = judgeClaims(claimsOf(claim("c", [test("above")])), {
    profile: "world",
    sources: [
      source("table1", [contrast(1)]),
      source("epochs", swept("method.epochs", [1, 2])),
      source("dial_polysemy", swept("dials.polysemy", [2, -3])),
      source("figure9", swept("shots", [-1])),
    ],
  });
  const text = ledgerMarkdown(ledger);
  assert.match(
    text,
    /epochs: above at 2 of 2 \(\+1\.00 to \+2\.00\)\. dial_polysemy: above at 1 of 2 /,
  );
  assert.match(text, /\(-3\.00 to \+2\.00\), reversed at dials\.polysemy 1 \|/);
  assert.doesNotMatch(text, /figure9/);
  assert.match(ledgerCsv(ledger), /^c,holds,table1,/m);
});

Deno.test("judgeClaims() looks at sweeps of the same layer, whatever their other settings", () => {
  const levels = (layer: string) => ({ measure: "concept_accuracy", layer, shots: 2 });
  const where = { layer: "intermediate", "probes.choice": "extreme" };
  const { claims } = judgeClaims(claimsOf(claim("c", [test("above", { where })])), {
    profile: "world",
    sources: [
      source("epochs", [
        contrast(1, { levels: levels("last") }),
        contrast(2, { levels: { ...levels("intermediate"), "probes.choice": "random" } }),
      ]),
    ],
  });
  assert.deepEqual(
    claims[0]!.tests[0]!.swept.map(({ at, effect }) => [at, effect]),
    [[{ shots: 2, "probes.choice": "random" }, 2]],
  );
});

Deno.test("findings() fills in effects, and refuses a test that there is not", () => {
  const ledger = judgeClaims(claimsOf(claim("c", [test("above"), test("above", { level: "x" })])), {
    profile: "world",
    sources: [source("table1", [contrast(1)])],
  });
  const page = findings(ledger, { introduction: "# Page", reasons: "By {{c 1}}, {{c 2}}." });
  assert.match(page, /^# Page\n\n## The paper's claims\n/);
  assert.match(page, /By \+1\.00 \[0\.90, 1\.10\], not run\.\n$/);
  assert.throws(
    () => findings(ledger, { introduction: "", reasons: "{{c 3}}" }),
    /\{\{c 3\}\}, which is no test/,
  );
});

Deno.test("configs/claims.json names what the experiments have, and the prose what it tests", async () => {
  const { claims } = await loadConfig("configs/claims.json", claimsSchema);
  for (const { id, tests } of claims) {
    for (const { experiment: name, factor, level, against, measure, where } of tests) {
      const experiment = await loadConfig(`experiments/${name}.json`, experimentSchema);
      const has = (wanted: Levels) =>
        combinationsOf(experiment).some((levels) =>
          Object.entries(wanted).every(([factor, level]) => levels[factor] === level)
        );
      assert.ok(has({ ...where, [factor]: level }), `${id}: ${name} ${level}`);
      assert.ok(has({ ...where, [factor]: against }), `${id}: ${name} ${against}`);
      assert.ok(experiment.measures.includes(measure as never), `${id}: ${name} ${measure}`);
    }
  }
  const empty = judgeClaims({ sweeps: [], claims }, { profile: "world", sources: [] });
  assert.ok(empty.claims.every(({ verdict }) => verdict === "not run"));
  const read = (name: string) => Deno.readTextFile(`docs/findings/${name}.md`);
  findings(empty, { introduction: await read("introduction"), reasons: await read("reasons") });
});
