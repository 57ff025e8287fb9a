import assert from "node:assert/strict";
import { join } from "node:path";
import { edit, miniRoot, runCli } from "./_mini_root.ts";

const root = await miniRoot();

/** Runs a command that must end with exit code 2 and one message, which is returned. */
async function refused(...args: string[]): Promise<string> {
  const { code, stderr } = await runCli(root, args);
  assert.equal(code, 2, stderr);
  assert.doesNotMatch(stderr, /\bat .*:\d+:\d+/, "a user's mistake shows no stack");
  return stderr;
}

/** Changes a config for the time of an action. */
async function withConfig(
  path: string,
  // deno-lint-ignore no-explicit-any
  { change, action }: { change: (json: any) => void; action: () => Promise<void> },
): Promise<void> {
  const before = await Deno.readTextFile(join(root, path));
  await edit(join(root, path), change);
  try {
    await action();
  } finally {
    await Deno.writeTextFile(join(root, path), before);
  }
}

Deno.test("an unknown table, backbone, method or profile is refused with the nearest name", async () => {
  assert.match(
    await refused("reproduce", "tabel2"),
    /no experiment "tabel2"\. Did you mean "table2"/,
  );
  assert.match(
    await refused("reproduce", "table2", "--backbones", "resnet81"),
    /Did you mean "resnet18"/,
  );
  assert.match(await refused("reproduce", "table2", "--methods", "lgcav"), /Did you mean "lg_cav"/);
  assert.match(await refused("reproduce", "table2", "--profile", "wrold"), /Did you mean "world"/);
});

Deno.test("an unknown flag, a bad number and an unknown command are refused", async () => {
  assert.match(await refused("reproduce", "table2", "--engines", "ort"), /--engine/);
  assert.match(await refused("reproduce", "table2", "--jobs", "many"), /whole number/);
  assert.match(await refused("reproduce", "table2", "--seeds", "-1"), /seed is a whole number/i);
  assert.match(await refused("reproduec", "table2"), /reproduce/);
  assert.match(await refused("reproduce"), /id/);
});

Deno.test("a wrong config field is named by file and path", async () => {
  await withConfig("configs/methods/original_cav.json", {
    change: (method) => method.hyperparameters.epochs.value = "ten",
    action: async () => {
      const message = await refused("reproduce", "table2");
      assert.match(message, /configs\/methods\/original_cav\.json.*hyperparameters\.epochs\.value/);
    },
  });
  await withConfig("experiments/table2.json", {
    change: (experiment) => experiment.probe = 3,
    action: async () => assert.match(await refused("reproduce", "table2"), /table2\.json.*probe/),
  });
});

Deno.test("a config that extends what it may not, or is nested deep, is refused", async () => {
  for (const base of ["x".repeat(999), "x".repeat(2000), "table2.json", "../../dev/zero", "\0"]) {
    await withConfig("experiments/table2.json", {
      change: (experiment) => experiment.extends = base,
      action: async () => void await refused("reproduce", "table2"),
    });
  }
  const path = join(root, "experiments", "table1.json");
  const before = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, `{"extends": ${"[".repeat(50_000)}${"]".repeat(50_000)}}`);
  assert.match(await refused("reproduce", "table1"), /more than 32 levels deep/);
  await Deno.writeTextFile(path, before);
});

Deno.test("a config that is no JSON is named", async () => {
  const path = join(root, "experiments", "table1.json");
  const before = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, before.slice(0, 40));
  assert.match(await refused("reproduce", "table1"), /table1\.json is not JSON/);
  await Deno.writeTextFile(path, before);
});

Deno.test("weights of another hash than their card's are refused, and nothing is stored of them", async () => {
  const path = join(root, "zoo", "resnet18.safetensors");
  const before = await Deno.readFile(path);
  const damaged = before.slice();
  damaged[damaged.length - 1]! ^= 1;
  await Deno.writeFile(path, damaged);
  const message = await refused("reproduce", "table2");
  assert.match(message, /resnet18\.safetensors of resnet18 have SHA-256 .* is expected/);
  await Deno.writeFile(path, before);
});

Deno.test("what cannot be known before the concepts are is refused before features are computed", async () => {
  const base = "experiments/base/concept_quality.json";
  const cases: readonly [RegExp, Parameters<typeof withConfig>[1]["change"], string][] = [
    [/Concept ".+" has \d+ images/, (json) => json.settings.shots.value = 1000, base],
    [
      /asks for 1000000 probe images .* there are \d+ at most/,
      (json) => json.settings.probes.count.value = 1e6,
      base,
    ],
    [
      /No concept has 1000 images that show it alone.* has most, \d+/,
      (json) => json.singleConcept.minimumImages.value = 1000,
      "configs/datasets/broden.json",
    ],
  ];
  for (const [message, change, path] of cases) {
    await withConfig(path, {
      change,
      action: async () => {
        const printed = await refused("reproduce", "table2");
        assert.match(printed, message);
        assert.doesNotMatch(printed, /\] (features resnet18|cavs)/);
      },
    });
  }
});

Deno.test("a concept that the dataset does not have is refused before features are computed", async () => {
  await withConfig("experiments/table1.json", {
    change: (experiment) => experiment.concepts = ["striped", "spiky"],
    action: async () => {
      const message = await refused("reproduce", "table1");
      assert.match(message, /table1 shows the concept "spiky", which the dataset does not have/);
      assert.doesNotMatch(message, /\] (features|cavs)/);
    },
  });
});

Deno.test("a world of another size than the model's images is refused", async () => {
  await withConfig("configs/datasets/world.json", {
    change: (world) => world.imageSize.value = 63,
    action: async () => {
      const message = await refused("reproduce", "table1", "--methods", "original_cav");
      assert.match(message, /is 63x63 after preprocessing, the model takes 64x64/);
    },
  });
});

Deno.test("a training that diverges names backbone, method and concept", async () => {
  await withConfig("configs/methods/original_cav.json", {
    change: ({ hyperparameters }) => {
      hyperparameters.learningRate.value = 1000;
      hyperparameters.weightDecay.value = 1000;
    },
    action: async () => {
      const message = await refused("reproduce", "table1", "--methods", "original_cav");
      assert.match(message, /"cavs resnet18 original_cav seed \d" diverged at concept ".+"/);
    },
  });
});

Deno.test("a results folder that cannot be written is named", async () => {
  const results = join(root, "results");
  await Deno.remove(results, { recursive: true }).catch(() => {});
  await Deno.writeTextFile(results, "a file where a folder should be");
  const message = await refused("reproduce", "table2");
  assert.match(message, /results.*not writable/);
  assert.doesNotMatch(message, /\[\d+\/\d+\]/, "before any work");
  await Deno.remove(results);
});

Deno.test("world export refuses a folder that is not empty", async () => {
  const folder = await Deno.makeTempDir();
  await Deno.writeTextFile(join(folder, "mine.txt"), "");
  assert.match(await refused("world", "export", folder), /not empty.*mine\.txt/);
});

Deno.test("verify of a result that was never made says so", async () => {
  assert.match(await refused("verify", "table8"), /no result/);
  assert.match(await refused("verify", "tabel8"), /Did you mean "table8"/);
  const folder = join(root, "results", "world", "table8");
  await Deno.mkdir(folder, { recursive: true });
  for (const damaged of ["", "null", "[]", '{"files": {"table.json": 1}}', '{"targets": 3}']) {
    await Deno.writeTextFile(join(folder, "manifest.json"), damaged);
    assert.match(await refused("verify", "table8"), /manifest\.json is damaged/);
  }
  const { code, stderr } = await runCli(root, ["status"]);
  assert.equal(code, 0, stderr);
});
