/** Policies that change while a server decides by them: in a directory that is watched, and in a bundle that is asked for again. */

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Orthrus } from "orthrus";
import { fetchBundle } from "orthrus/bundles";
import { bundle, bundleServer, status } from "../support/bundles.mjs";
import { makeBundle, signingKey } from "../support/make-bundle.mjs";
import { reflectedClient } from "./grpc.mjs";
import { post, startServer, temporary, until } from "./support.mjs";

const policy = (action, kind = "doc") => `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: ${kind}
  version: default
  rules:
    - actions: [${action}]
      roles: [user]
      effect: EFFECT_ALLOW
`;
const BROKEN = policy("view").replace("EFFECT_ALLOW", "ALLOWED");

const asked = (kind = "doc") => ({
  principal: { id: "ann", roles: ["user"] },
  resources: [{ resource: { kind, id: "1" }, actions: ["view", "edit"] }],
});

/** What is allowed of `view` and `edit`. */
async function allowed({ url }, kind) {
  const { body } = await post(`${url}/api/check/resources`, asked(kind));
  return Object.entries(body.results[0].actions)
    .filter(([, effect]) => effect === "EFFECT_ALLOW")
    .map(([action]) => action)
    .join();
}

const json = async ({ url }, path) => (await fetch(url + path)).json();
const failure = async (server) => (await json(server, "/_cerbos/health?verbose")).policies.failure;

async function syncErrors({ url }) {
  const text = await (await fetch(`${url}/_cerbos/metrics`)).text();
  return Number(/^cerbos_dev_store_sync_error_count_total\{.*\} (\d+)/m.exec(text)?.[1] ?? 0);
}

/** A directory with one policy, which allows `view`. */
function directoryOf(t) {
  const folder = join(temporary(t), "policies");
  mkdirSync(folder);
  writeFileSync(join(folder, "doc.yaml"), policy("view"));
  return folder;
}

const watched = async (t, folder) => {
  const server = await startServer(t, folder, { watch: true });
  // Changes count from when it has looked first.
  await sleep(50);
  return server;
};

describe("a directory that is watched", () => {
  /** `[what, what happens, kind, what is allowed then]` */
  for (const [what, change, kind, expected] of [
    ["a file is written", (folder) => writeFileSync(join(folder, "doc.yaml"), policy("edit")), "doc", "edit"],
    [
      "a file is replaced, as editors do",
      (folder) => {
        writeFileSync(join(folder, ".doc.yaml.swp"), policy("edit"));
        renameSync(join(folder, ".doc.yaml.swp"), join(folder, "doc.yaml"));
      },
      "doc",
      "edit",
    ],
    ["a file comes", (folder) => writeFileSync(join(folder, "own.yaml"), policy("edit", "own")), "own", "edit"],
    [
      "a file goes",
      (folder) => {
        writeFileSync(join(folder, "own.yaml"), policy("edit", "own"));
        rmSync(join(folder, "doc.yaml"));
      },
      "doc",
      "",
    ],
    [
      "a folder comes with files",
      (folder) => {
        mkdirSync(join(folder, "a/b"), { recursive: true });
        writeFileSync(join(folder, "a/b/own.yaml"), policy("edit", "own"));
      },
      "own",
      "edit",
    ],
    [
      "files change one after the other",
      async (folder) => {
        for (const action of ["x", "y", "z", "edit"]) {
          writeFileSync(join(folder, "doc.yaml"), policy(action));
          await sleep(20);
        }
      },
      "doc",
      "edit",
    ],
  ]) {
    test(what, async (t) => {
      const folder = directoryOf(t);
      const server = await watched(t, folder);
      assert.equal(await allowed(server), "view");
      await change(folder);
      await until(async () => (await allowed(server, kind)) === expected, 10_000);
      assert.equal(await failure(server), undefined);
    });
  }

  test("a file is written after it has been replaced, and a folder after it has been", async (t) => {
    const folder = directoryOf(t);
    const server = await watched(t, folder);
    const becomes = async (action, limit) => {
      const started = Date.now();
      await until(async () => (await allowed(server)) === action, 10_000);
      assert.ok(Date.now() - started < limit, `${Date.now() - started} ms`);
    };
    writeFileSync(join(folder, ".doc.yaml.swp"), policy("edit"));
    renameSync(join(folder, ".doc.yaml.swp"), join(folder, "doc.yaml"));
    await becomes("edit", 10_000);
    await sleep(300);
    writeFileSync(join(folder, "doc.yaml"), policy("view"));
    await becomes("view", 3000);
    renameSync(folder, `${folder}-old`);
    mkdirSync(folder);
    writeFileSync(join(folder, "doc.yaml"), policy("edit"));
    await becomes("edit", 10_000);
    await sleep(300);
    writeFileSync(join(folder, "doc.yaml"), policy("view"));
    await becomes("view", 3000);
  });

  test("a link is set to another folder, as Kubernetes does", async (t) => {
    const folder = temporary(t);
    for (const [name, action] of [
      ["one", "view"],
      ["two", "edit"],
    ]) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "doc.yaml"), policy(action));
    }
    mkdirSync(join(folder, "policies"));
    symlinkSync("../one", join(folder, "policies/..data"));
    symlinkSync("..data/doc.yaml", join(folder, "policies/doc.yaml"));
    const server = await watched(t, join(folder, "policies"));
    assert.equal(await allowed(server), "view");
    symlinkSync("../two", join(folder, "policies/..next"));
    renameSync(join(folder, "policies/..next"), join(folder, "policies/..data"));
    await until(async () => (await allowed(server)) === "edit", 10_000);
  });

  test("links that go round in circles", async (t) => {
    const folder = directoryOf(t);
    const server = await watched(t, folder);
    for (const name of ["a", "b", "c"]) {
      mkdirSync(join(folder, name));
      symlinkSync("..", join(folder, name, "up"));
    }
    writeFileSync(join(folder, "doc.yaml"), policy("edit"));
    // Whether the policies may hold such links is for the engine to say.
    await until(async () => (await allowed(server)) === "edit" || (await failure(server)) !== undefined, 10_000);
  });

  test("what is only touched changes nothing that is told", async (t) => {
    const folder = directoryOf(t);
    const server = await watched(t, folder);
    readdirSync(folder);
    await sleep(400);
    assert.deepEqual(server.events, []);
    utimesSync(join(folder, "doc.yaml"), new Date(), new Date());
    await sleep(400);
    assert.equal(await allowed(server), "view");
  });

  test("nothing is read any more when it has stopped", async (t) => {
    const folder = directoryOf(t);
    const server = await watched(t, folder);
    await server.server.stop();
    writeFileSync(join(folder, "doc.yaml"), policy("edit"));
    await sleep(400);
    assert.deepEqual(server.events, []);
    await server.server.stop();
  });

  test("a policy that is broken: those before go on deciding, and it is told everywhere, until it is repaired", async (t) => {
    const folder = directoryOf(t);
    const server = await watched(t, folder);
    const path = join(folder, "doc.yaml");
    assert.equal(await syncErrors(server), 0);

    writeFileSync(path, BROKEN);
    await until(async () => (await failure(server)) !== undefined, 10_000);
    assert.equal(await allowed(server), "view");
    const health = await json(server, "/_cerbos/health?verbose");
    assert.equal(health.status, "SERVING");
    assert.deepEqual(await json(server, "/_cerbos/health"), { status: "SERVING" });
    const { policies } = await json(server, "/_orthrus/state");
    for (const told of [health.policies.failure, policies.failure]) {
      assert.match(told.message, /--> doc\.yaml:8:15/);
      assert.ok(Math.abs(told.at - Date.now()) < 20_000);
    }
    const [event] = server.events.filter(({ level }) => level === "error");
    assert.equal(event.logger, "orthrus.policies");
    const [{ severity, file, line, column }] = event.fields.diagnostics;
    assert.deepEqual({ severity, file, line, column }, { severity: "error", file: "doc.yaml", line: 8, column: 15 });
    assert.ok((await syncErrors(server)) >= 1);

    writeFileSync(path, policy("edit"));
    await until(async () => (await allowed(server)) === "edit", 10_000);
    assert.equal(await failure(server), undefined);
    assert.equal((await json(server, "/_orthrus/state")).policies.failure, undefined);
  });

  test("a policy that is broken, and then is what it was", async (t) => {
    const folder = directoryOf(t);
    const server = await watched(t, folder);
    writeFileSync(join(folder, "doc.yaml"), BROKEN);
    await until(async () => (await failure(server)) !== undefined, 10_000);
    writeFileSync(join(folder, "doc.yaml"), policy("view"));
    await until(async () => (await failure(server)) === undefined, 10_000);
    assert.equal(await allowed(server), "view");
  });

  test("a directory that goes, and comes again", async (t) => {
    const folder = directoryOf(t);
    const server = await watched(t, folder);
    renameSync(folder, `${folder}-away`);
    await until(async () => (await failure(server)) !== undefined, 15_000);
    assert.equal(await allowed(server), "view");
    mkdirSync(folder);
    writeFileSync(join(folder, "doc.yaml"), policy("edit"));
    await until(async () => (await allowed(server)) === "edit", 15_000);
    assert.equal(await failure(server), undefined);
    // It is watched as before.
    writeFileSync(join(folder, "doc.yaml"), policy("view"));
    await until(async () => (await allowed(server)) === "view", 15_000);
  });

  test("what is not a directory is not watched", async () => {
    const engine = await Orthrus.fromFiles({ "doc.yaml": policy("view") });
    await assert.rejects(startServer({}, engine, { watch: true }), ({ code, path }) => {
      assert.equal(path, "watch");
      return code === "OPTIONS_INVALID";
    });
  });
});

describe("an engine that is made to read again", () => {
  test("has its servers follow", async (t) => {
    const folder = directoryOf(t);
    const engine = await Orthrus.open(folder);
    const servers = [await startServer(t, engine), await startServer(t, engine)];
    writeFileSync(join(folder, "doc.yaml"), policy("edit"));
    await engine.refresh();
    assert.deepEqual(await Promise.all(servers.map((server) => allowed(server))), ["edit", "edit"]);
    writeFileSync(join(folder, "doc.yaml"), BROKEN);
    await assert.rejects(engine.refresh(), { code: "POLICY_INVALID" });
    assert.deepEqual(await Promise.all(servers.map((server) => allowed(server))), ["edit", "edit"]);
    for (const server of servers) {
      assert.match((await failure(server)).message, /doc\.yaml/);
    }
  });

  test("may be closed before its server stops", async (t) => {
    const engine = await Orthrus.open(directoryOf(t));
    const server = await startServer(t, engine);
    engine.close();
    assert.equal(await allowed(server), "view");
    await server.server.stop();
  });
});

describe("a bundle that is asked for again", () => {
  const start = async (t, served, options = {}) => {
    const engine = await Orthrus.fromBundle(fetchBundle(served.url), { refresh: { every: "50ms" }, ...options });
    t.after(() => engine.close());
    return { engine, ...(await startServer(t, engine)) };
  };

  test("another one decides, and its digest is told", async (t) => {
    const [view, edit] = await Promise.all(
      ["view", "edit"].map((action) => makeBundle({ "doc.yaml": policy(action) })),
    );
    const served = await bundleServer(bundle(view, '"1"'));
    t.after(served.close);
    const server = await start(t, served);
    assert.equal(await allowed(server), "view");
    const before = (await json(server, "/_cerbos/health?verbose")).policies;
    assert.equal(before.driver, "bundle");
    assert.match(before.digest, /[0-9a-f]{16}/);
    served.respond = bundle(edit, '"2"');
    await until(async () => (await allowed(server)) === "edit", 10_000);
    const { digest, failure } = (await json(server, "/_cerbos/health?verbose")).policies;
    assert.notEqual(digest, before.digest);
    assert.equal(failure, undefined);
  });

  test("one that cannot be had: the one before decides, and it is told until it can", async (t) => {
    const served = await bundleServer(bundle(await makeBundle({ "doc.yaml": policy("view") })));
    t.after(served.close);
    const server = await start(t, served);
    const good = served.respond;
    served.respond = status(500);
    await until(async () => (await failure(server)) !== undefined, 10_000);
    assert.equal(await allowed(server), "view");
    assert.match((await failure(server)).message, /500/);
    assert.ok((await syncErrors(server)) >= 1);
    served.respond = good;
    await until(async () => (await failure(server)) === undefined, 10_000);
  });

  test("one that nobody trusted has signed is refused", async (t) => {
    const [own, other] = [signingKey(), signingKey()];
    const [good, bad] = await Promise.all([
      makeBundle({ "doc.yaml": policy("view") }, own.privateKey),
      makeBundle({ "doc.yaml": policy("edit") }, other.privateKey),
    ]);
    const served = await bundleServer(bundle(good, '"1"'));
    t.after(served.close);
    const server = await start(t, served, { trustedKeys: [own.publicKey] });
    served.respond = bundle(bad, '"2"');
    await until(async () => (await failure(server)) !== undefined, 10_000);
    assert.equal(await allowed(server), "view");
  });
});

test("policies that change twenty times under load: each request is answered, by the ones or the others", async (t) => {
  const texts = ["view", "edit"].map((action) => ({ "doc.yaml": policy(action) }));
  const bundles = await Promise.all(texts.map((files) => makeBundle(files)));
  let turn = 0;
  const engine = await Orthrus.fromBundle(async () => bundles[turn % 2]);
  t.after(() => engine.close());
  const { url, grpc } = await startServer(t, engine);
  const services = ["cerbos.svc.v1.CerbosService"];
  const client = await reflectedClient(grpc, services);
  t.after(() => client.close());

  const seen = { view: 0, edit: 0 };
  let [over, wrong] = [false, 0];
  const count = (actions) => {
    const allowed = Object.keys(actions ?? {}).filter((action) => actions[action] === "EFFECT_ALLOW");
    if (allowed.length === 1) {
      seen[allowed[0]]++;
    } else {
      wrong++;
    }
  };
  // Two resources in one question are decided by the same policies.
  const question = { ...asked(), resources: [...asked().resources, ...asked().resources] };
  const overHttp = async () => {
    while (!over) {
      const { status, body } = await post(`${url}/api/check/resources`, question);
      assert.equal(status, 200);
      assert.deepEqual(body.results[0].actions, body.results[1].actions);
      count(body.results[0].actions);
    }
  };
  const overGrpc = async () => {
    while (!over) {
      const { code, response } = await client.call(services[0], "CheckResources", question);
      assert.equal(code, 0);
      assert.deepEqual(response.results[0].actions, response.results[1].actions);
      count(response.results[0].actions);
    }
  };
  const askers = [...Array(8).fill(overHttp), ...Array(8).fill(overGrpc)].map((ask) => ask());
  for (turn = 1; turn <= 20; turn++) {
    await sleep(30);
    assert.equal(await engine.refresh(), true);
    // From now on nobody decides by the old ones.
    assert.equal(await allowed({ url }), ["view", "edit"][turn % 2]);
  }
  over = true;
  await Promise.all(askers);
  assert.equal(wrong, 0);
  assert.ok(seen.view > 10 && seen.edit > 10, JSON.stringify(seen));
});
