import assert from "node:assert/strict";
import { walkFiles } from "../../lib/files/mod.ts";
import { type FetchProgress, fetchSources } from "../../lib/sources/mod.ts";
import { bodies, COMMIT, hex, inner, inRoom, plain, states, tgzBytes, zipBytes } from "./_room.ts";
import { storedZip } from "./_zip.ts";

Deno.test("fetchSources() fetches every kind of source, verified and unpacked", async () => {
  await inRoom(async ({ root, sources, options, progress, server }) => {
    const results = await fetchSources(sources, options);
    assert.deepEqual(results.map(({ name, status }) => [name, status]), [
      ["plain", "fetched"],
      ["zipped", "fetched"],
      ["zipdata", "fetched"],
      ["tgzdata", "fetched"],
      ["model", "fetched"],
      ["registered", "failed"],
    ]);
    assert.match(String(results[5]!.error), /registered cannot be fetched.*Register and download/);
    assert.deepEqual(await Deno.readFile(`${root}/weights/plain.pth`), plain);
    assert.deepEqual(await Deno.readFile(`${root}/weights/zipped.pth`), inner);
    assert.equal(await Deno.readTextFile(`${root}/zipdata/a.txt`), "alpha\n");
    assert.equal(await Deno.readTextFile(`${root}/tgzdata/Größe.txt`), "x");
    assert.equal(await Deno.readTextFile(`${root}/hub/org/model/onnx/model.onnx`), "onnx");
    const receipt = JSON.parse(await Deno.readTextFile(`${root}/receipts/model.json`));
    assert.equal(receipt.revision, COMMIT);
    const card = JSON.parse(await Deno.readTextFile(`${root}/hub/org/model/card.json`));
    assert.equal(card.sha256["config.json"], hex("sha256", new TextEncoder().encode("{}")));
    const left = (await Array.fromAsync(walkFiles(`${root}/downloads`))).filter((name) =>
      !name.endsWith(".lock")
    );
    assert.deepEqual(left, []);
    assert.ok(progress.some(({ name, phase }) => name === "zipdata" && phase === "unpack"));

    const requests = server.asked.length;
    const again = await fetchSources(sources.slice(0, 5), { ...options, offline: true });
    assert.ok(again.every(({ status }) => status === "present"));
    assert.equal(server.asked.length, requests);
  });
});

Deno.test("fetchSources() goes on with a hub model at the commit it began with", async () => {
  const onnx = `/org/model/resolve/${COMMIT}/onnx/model.onnx`;
  const changed = { [onnx]: undefined } as Record<string, Uint8Array | undefined>;
  await inRoom(async ({ sources, options, server, root }) => {
    const model = sources.filter(({ name }) => name === "model");
    const [first] = await fetchSources(model, options);
    assert.match(String(first!.error), /answered 404/);
    assert.equal((await states(model, root))["model"], "partial");
    changed[onnx] = bodies[onnx];
    // The branch has moved on meanwhile, to a commit that the server does not have.
    changed["/api/models/org/model/revision/main"] = new TextEncoder().encode("{}");
    const [second] = await fetchSources(model, options);
    assert.equal(second!.status, "fetched");
    const configs = server.asked.filter(({ path }) => path.endsWith("config.json"));
    assert.equal(configs.length, 1);
  }, changed);
});

Deno.test("fetchSources() asks nothing of the network offline", async () => {
  await inRoom(async ({ sources, options, server }) => {
    const results = await fetchSources(sources, { ...options, offline: true });
    assert.ok(results.every(({ status }) => status === "failed"));
    assert.match(String(results[0]!.error), /nothing is fetched offline.*data:where FOLDER/);
    assert.equal(server.asked.length, 0);
  });
});

Deno.test("fetchSources() keeps nothing of a source that is wrong, and fetches the others", async () => {
  const changed = {
    "/packed.pth.zip": zipBytes,
    "/data.zip": zipBytes.slice(0, -40),
    "/data.tgz": tgzBytes.slice(0, -1),
    "/api/models/org/model/revision/main": new TextEncoder().encode("<html>"),
  };
  await inRoom(async ({ root, sources, options }) => {
    const results = await fetchSources(sources.slice(0, 5), options);
    const errors = results.map(({ error }) => error === undefined ? "" : String(error));
    assert.equal(errors[0], "");
    assert.match(errors[1]!, /packed.pth.zip: it does not hold packed.pth.*fetch it again/);
    assert.match(errors[2]!, /data.zip: Reading a zip file: .*fetch it again/);
    assert.match(errors[3]!, /data.tgz: expected MD5/);
    assert.match(errors[4]!, /commit of "main": the answer names none/);
    assert.deepEqual(
      (await Array.fromAsync(walkFiles(root))).filter((path) => !path.endsWith(".lock")),
      ["receipts/plain.json", "weights/plain.pth"],
    );
  }, changed);
  const otherBytes = { "/packed.pth.zip": storedZip({ "packed.pth": plain }) };
  await inRoom(async ({ sources, options }) => {
    const [result] = await fetchSources(sources.slice(1, 2), options);
    assert.match(String(result!.error), /expected SHA-1 .* found/);
  }, otherBytes);
});

Deno.test("fetchSources() lets two processes at once fetch one source once", async () => {
  await inRoom(async ({ sources, options, server }) => {
    const [a, b] = await Promise.all([
      fetchSources(sources.slice(3, 4), options),
      fetchSources(sources.slice(3, 4), options),
    ]);
    assert.deepEqual([a[0]!.status, b[0]!.status].sort(), ["fetched", "present"]);
    assert.equal(server.asked.length, 1);
  });
});

for (const phase of ["download", "unpack"]) {
  Deno.test(`fetchSources() stops in the ${phase} when told to, and goes on later`, async () => {
    await inRoom(async ({ root, sources, options, server }) => {
      const stop = new AbortController();
      const onProgress = (step: FetchProgress) => {
        if (step.phase === phase) stop.abort(new Error("Ctrl-C"));
      };
      const [, , zipdata] = sources;
      await assert.rejects(
        fetchSources([zipdata!], { ...options, onProgress, signal: stop.signal }),
        /Ctrl-C/,
      );
      assert.equal((await states(sources, root))["zipdata"], "partial");
      const [later] = await fetchSources([zipdata!], options);
      assert.equal(later!.status, "fetched");
      assert.ok(server.asked.length === (phase === "unpack" ? 1 : 2));
    });
  });
}
