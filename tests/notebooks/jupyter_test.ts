import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  decodeMessage,
  encodeMessage,
  joinStreams,
  keepPictures,
  notebookText,
  parseNotebook,
  request,
  runNotebooks,
  startKernel,
} from "../../lib/notebooks/mod.ts";

const code = (source: string) => ({
  cell_type: "code",
  execution_count: null,
  id: "a",
  metadata: {},
  outputs: [],
  source: [source],
});

const notebook = (...cells: object[]) => ({
  cells,
  metadata: { kernelspec: { display_name: "Deno", language: "typescript", name: "deno" } },
  nbformat: 4,
  nbformat_minor: 5,
});

async function inFolder(test: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const options = (scratch: string) => ({ save: true, log: () => {}, scratch });

async function write(path: string, ...cells: object[]) {
  await Deno.writeTextFile(path, notebookText(notebook(...cells) as never));
}

Deno.test("decodeMessage() takes a signature computed by Python's hmac and refuses others", () => {
  const parts = ['{"msg_id":"1","msg_type":"status"}', "{}", "{}", '{"execution_state":"idle"}'];
  const signature = "43d6ded69c7be8bf1560669a07f86d44a2f52244725a1d4365f9e598de4d3f94";
  const frames = ["topic", "<IDS|MSG>", signature, ...parts].map((part) => Buffer.from(part));
  assert.equal(decodeMessage(frames, "key").content["execution_state"], "idle");
  assert.throws(() => decodeMessage(frames, "another key"), /signature/);
  assert.throws(() => decodeMessage(frames.slice(0, 4), "key"), TypeError);
});

Deno.test("encodeMessage() and decodeMessage() keep a message", () => {
  const message = request("execute_request", { code: "1 + 1 // ü" }, "session");
  assert.deepEqual(decodeMessage(encodeMessage(message, "k"), "k"), message);
});

Deno.test("joinStreams() makes the cuts of a stream disappear", () => {
  const stream = (name: string, ...text: string[]) =>
    ({ output_type: "stream", name, text }) as const;
  const cut = [stream("stdout", "a\n", "b"), stream("stdout", "c\n"), stream("stderr", "d")];
  assert.deepEqual(joinStreams(cut), [stream("stdout", "a\n", "bc\n"), stream("stderr", "d")]);
});

Deno.test("keepPictures() keeps the picture of a figure that has not changed, and no other", () => {
  const shown = (figure: object | undefined, png?: string) => ({
    output_type: "display_data" as const,
    metadata: {},
    data: {
      ...figure === undefined ? {} : { "application/vnd.plotly.v1+json": figure },
      ...png === undefined ? {} : { "image/png": png },
      "text/plain": ["a figure"],
    },
  });
  const stored = [shown({ data: [1] }, "old"), shown({ data: [1] }), shown(undefined, "old")];
  const kept = (...outputs: ReturnType<typeof shown>[]) =>
    JSON.stringify(keepPictures(outputs, stored));
  assert.equal(kept(shown({ data: [1] }, "new")), JSON.stringify(stored.slice(0, 1)));
  assert.equal(kept(shown({ data: [1] })), JSON.stringify(stored.slice(0, 1)));
  const changed = [
    shown({ data: [2] }, "new"),
    shown({ data: [1] }, "new"),
    shown(undefined, "new"),
  ];
  assert.equal(kept(...changed), JSON.stringify(changed));
  assert.equal(kept(shown({ data: [2] })), JSON.stringify([shown({ data: [2] })]));

  const drawing = (sha256: string, png: string) => ({
    output_type: "display_data" as const,
    metadata: {},
    data: { "application/vnd.lg-cav.drawing+json": { sha256 }, "image/png": png },
  });
  const old = [drawing("a", "old")];
  assert.deepEqual(keepPictures([drawing("a", "new")], old), old);
  assert.deepEqual(keepPictures([drawing("b", "new")], old), [drawing("b", "new")]);
});

Deno.test("notebookText() writes what nbformat.writes() of Python does", () => {
  const data = { "application/json": { b: [0.5], a: null } };
  const outputs = [{ output_type: "display_data", metadata: {}, data }];
  assert.equal(
    notebookText(notebook({ ...code("1"), outputs }) as never),
    `{
 "cells": [
  {
   "cell_type": "code",
   "execution_count": null,
   "id": "a",
   "metadata": {},
   "outputs": [
    {
     "data": {
      "application/json": {
       "a": null,
       "b": [
        0.5
       ]
      }
     },
     "metadata": {},
     "output_type": "display_data"
    }
   ],
   "source": [
    "1"
   ]
  }
 ],
 "metadata": {
  "kernelspec": {
   "display_name": "Deno",
   "language": "typescript",
   "name": "deno"
  }
 },
 "nbformat": 4,
 "nbformat_minor": 5
}
`,
  );
});

Deno.test("parseNotebook() refuses other formats and kernels", () => {
  assert.throws(() => parseNotebook("{}", "x.ipynb"), /x\.ipynb/);
  const python = { ...notebook(), metadata: { kernelspec: { name: "python3" } } };
  assert.throws(() => parseNotebook(JSON.stringify(python), "x.ipynb"), /python3/);
});

Deno.test("runNotebooks() stores every kind of output, keeps state between cells, repeats", async () => {
  await inFolder(async (folder) => {
    const path = `${folder}/small.ipynb`;
    const display = `await Deno.jupyter.display({
      "text/plain": "a figure\\nof two lines",
      "application/vnd.plotly.v1+json": { data: [] },
    }, { raw: true })`;
    await write(
      path,
      { cell_type: "markdown", id: "m", metadata: {}, source: ["# Title"] },
      code("const a = 3; console.log('one'); console.log('two');"),
      code(`${display}; a + 1`),
    );
    const log: string[] = [];
    const run = () => runNotebooks([path], { ...options(folder), log: (line) => log.push(line) });
    assert.deepEqual(await run(), []);
    const saved = await Deno.readTextFile(path);
    const [title, first, second] = JSON.parse(saved).cells;
    assert.deepEqual(title.source, ["# Title"]);
    assert.deepEqual(first.outputs, [
      { output_type: "stream", name: "stdout", text: ["one\n", "two\n"] },
    ]);
    assert.equal(second.execution_count, 2);
    assert.deepEqual(second.outputs[0].data, {
      "text/plain": ["a figure\n", "of two lines"],
      "application/vnd.plotly.v1+json": { data: [] },
    });
    assert.deepEqual(second.outputs[1].data, { "text/plain": ["4"] });
    assert.deepEqual(await run(), []);
    assert.equal(await Deno.readTextFile(path), saved);
    assert.deepEqual(log, [`${path}: ran, outputs saved`, `${path}: ran`]);
  });
});

Deno.test("runNotebooks() names notebook, cell and message of an error and saves nothing", async () => {
  await inFolder(async (folder) => {
    const [bad, good] = [`${folder}/bad.ipynb`, `${folder}/good.ipynb`];
    await write(bad, code("1"), code("throw new RangeError('boom')"), code("2"));
    await write(good, code("1"));
    const before = await Deno.readTextFile(bad);
    const errors = await runNotebooks([bad, good], options(folder));
    assert.equal(errors.length, 1);
    assert.match(errors[0]!.message, /bad\.ipynb: cell 2 of 3 failed: RangeError: boom/);
    assert.equal(await Deno.readTextFile(bad), before);
    assert.equal(JSON.parse(await Deno.readTextFile(good)).cells[0].execution_count, 1);
  });
});

Deno.test("runNotebooks() reports a cell that ends the kernel and one that does not end", async () => {
  await inFolder(async (folder) => {
    const [ends, hangs] = [`${folder}/ends.ipynb`, `${folder}/hangs.ipynb`];
    await write(ends, code("Deno.exit(7)"));
    await write(hangs, code("while (true) {}"));
    const errors = await runNotebooks([ends, hangs], { ...options(folder), cellTimeout: 2000 });
    assert.match(errors[0]!.message, /ends\.ipynb: cell 1.*stopped with code 7/);
    assert.match(errors[1]!.message, /hangs\.ipynb: cell 1.*still running after 2 s/);
  });
});

Deno.test("startKernel() leaves no process behind, even when a cell hangs", async () => {
  await inFolder(async (folder) => {
    const kernel = await startKernel({ folder: ".", scratch: folder });
    const [file] = [...Deno.readDirSync(folder)];
    const { shell_port } = JSON.parse(await Deno.readTextFile(`${folder}/${file!.name}`));
    const address = { hostname: "127.0.0.1", port: shell_port };
    (await Deno.connect(address)).close();
    await assert.rejects(kernel.execute("while (true) {}", { timeout: 300 }), /still running/);
    await kernel.close();
    await assert.rejects(Deno.connect(address), Deno.errors.ConnectionRefused);
    assert.deepEqual([...Deno.readDirSync(folder)], []);
  });
});

Deno.test("main.ts refuses an unknown argument with exit code 2, and a broken notebook with 1", async () => {
  await inFolder(async (folder) => {
    await write(`${folder}/bad.ipynb`, code("throw new Error('boom')"));
    const main = async (argument: string) => {
      const { code, stderr } = await new Deno.Command("deno", {
        args: [
          "run",
          "--no-prompt",
          `--allow-read=.,${folder}`,
          `--allow-write=notebooks,${folder}`,
          "--allow-net=127.0.0.1",
          "--allow-run=deno",
          "lib/notebooks/main.ts",
          argument,
        ],
      }).output();
      return { code, text: new TextDecoder().decode(stderr) };
    };
    const typo = await main("--chek");
    assert.equal(typo.code, 2);
    assert.match(typo.text, /--chek is neither --check nor a file/);
    const broken = await main(`${folder}/bad.ipynb`);
    assert.equal(broken.code, 1);
    assert.match(broken.text, /bad\.ipynb: cell 1 of 1 failed: Error: boom/);
  });
});
