import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { edit, miniRoot, repository, runCli } from "./_mini_root.ts";

const root = await miniRoot();
// The world's own CLIP, which knows the words of the world and no others.
await cp(join(repository, "zoo", "world-clip-rn50x16"), join(root, "zoo", "world-clip-rn50x16"), {
  recursive: true,
});
const folder = join(root, "mine");
const profile = join(root, "configs", "profiles", "mine.json");
const dataset = join(root, "configs", "datasets", "broden.json");

/** A profile as README describes one of one's own: a copy of the world's, with a folder. */
// deno-lint-ignore no-explicit-any
async function ownProfile(change: (profile: any) => void): Promise<void> {
  await Deno.copyFile(join(root, "configs", "profiles", "world.json"), profile);
  await edit(profile, (copy) => {
    copy.name = "mine";
    for (const name of Object.keys(copy.vlModels)) copy.vlModels[name] = "world_clip_rn50x16";
    copy.datasets = {
      broden: { folder: join("mine", "broden") },
      imagenet: { folder: join("mine", "imagenet") },
    };
    change(copy);
  });
}

async function reproduce(id = "table1") {
  const args = ["reproduce", id, "--profile", "mine", "--methods", "original_cav,lg_cav"];
  const outcome = await runCli(root, args);
  assert.doesNotMatch(outcome.stderr, /\bat .*:\d+:\d+/, "no stack");
  return outcome;
}

/** Runs what must be refused; returns the message. */
async function refused(id?: string): Promise<string> {
  const { code, stderr } = await reproduce(id);
  assert.equal(code, 2, stderr);
  return stderr;
}

/** Replaces a file for the time of an action. */
async function withFile(
  path: string,
  { content, action }: { content: Uint8Array; action: () => Promise<void> },
): Promise<void> {
  const before = await Deno.readFile(path);
  await Deno.writeFile(path, content);
  try {
    await action();
  } finally {
    await Deno.writeFile(path, before);
  }
}

Deno.test("reproduce takes a user's own images and words", async (t) => {
  const exported = await runCli(root, ["world", "export", folder, "--datasets", "broden,imagenet"]);
  assert.equal(exported.code, 0, exported.stderr);
  const label = join(folder, "broden", "label.csv");
  const words = (await Deno.readTextFile(label)).replace(/\bdotted\b/, "spiky");
  await Deno.writeTextFile(label, `\ufeff${words}`);
  for (const file of ["broden/index.csv", "imagenet/LOC_synset_mapping.txt"]) {
    const path = join(folder, file);
    await Deno.writeTextFile(path, `\ufeff${await Deno.readTextFile(path)}`);
  }
  await ownProfile(() => {});

  await t.step("says which words the VL model has not learned", async () => {
    const { code, stderr } = await reproduce();
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      /VL model spells these words in pieces, and may not have learned them: spiky\./,
    );
  });

  const red = (number: number) =>
    join(folder, "broden", "images", "colors", `red_000${number}.jpg`);
  const other = await Deno.readFile(
    join(repository, "tests", "fixtures", "data", "images", "size301x224.jpg"),
  );
  await t.step("refuses images of another size by name", () =>
    withFile(red(3), {
      content: other,
      action: async () =>
        assert.match(await refused(), /red_0003\.jpg \(301x224\) is 301x224 after .* takes 64x64/),
    }));

  await t.step("tells all images that cannot be read, or leaves them out by name", async () => {
    const half = (await Deno.readFile(red(1))).subarray(0, 300);
    await withFile(red(1), {
      content: half,
      action: () =>
        withFile(red(2), {
          content: new Uint8Array(),
          action: async () => {
            const message = await refused();
            assert.match(message, /Cannot read 2 of \d+ images .*red_0001\.jpg .*red_0002\.jpg /);
            await edit(dataset, (config) => {
              config.unreadable = "skip";
              config.singleConcept.minimumImages.value = 24;
            });
            const { code, stderr } = await reproduce();
            assert.equal(code, 0, stderr);
            assert.match(
              stderr,
              /Left out 2 images of broden .*red_0001\.jpg, colors\/red_0002\.jpg/,
            );
            assert.match(stderr, /Left out 1 concepts of broden.* red-c \(23\)/);
          },
        }),
    });
  });

  await t.step(
    "refuses a folder or a file of pairs that is not there, and a wrong pair",
    async () => {
      await ownProfile(({ datasets }) => datasets.broden.folder = "nowhere");
      assert.match(await refused(), /names the folder .*nowhere for the dataset broden/);
      await ownProfile((own) => own.pairs = { file: "nowhere.csv" });
      assert.match(await refused("table2"), /pairs file .*nowhere\.csv, which is not there/);
      await Deno.writeTextFile(join(root, "pairs.csv"), "\ufeffconcept,class\nred-c,n00000000\n");
      await ownProfile((own) => own.pairs = { file: "pairs.csv" });
      assert.match(await refused("table2"), /Line 2 of .*pairs\.csv names the class "n00000000"/);
      await Deno.writeTextFile(join(root, "pairs.csv"), "concept,class\nblue,n90000001\n");
      assert.match(
        await refused("table2"),
        /no pair of a concept and a class: none of those named/,
      );
      const lines = [
        "concept,class",
        "blue-c,n90000001",
        "blue-c,n90000001 ",
        "teal-c,n90000002",
        "",
      ];
      await Deno.writeTextFile(join(root, "pairs.csv"), lines.join("\r\n"));
      const { code, stderr } = await reproduce("table2");
      assert.equal(code, 0, stderr);
      assert.match(stderr, /pairs\.csv names what is no concept of the run: teal-c\./);
      const runs = await Deno.readTextFile(join(root, "results", "mine", "table2", "runs.csv"));
      assert.equal(runs.trim().split("\n").length - 1, 2 * 2, "methods, seeds, one pair");
    },
  );
});
