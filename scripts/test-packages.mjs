// What a user of the packages gets: packs each one, checks its manifest and types (publint, are-the-types-wrong), and
// loads every entry, as an ES module and as CommonJS, from the packed files alone.
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ensureBuilt, packages, root, tool } from "./workspace.mjs";

ensureBuilt();
const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const folder = mkdtempSync(join(tmpdir(), "fengni-packages-"));
let failures = 0;

function step(name, work) {
  try {
    work();
    console.log(`ok   ${name}`);
  } catch (error) {
    failures += 1;
    console.log(`FAIL ${name}\n${[error.message, error.stdout, error.stderr].filter(Boolean).join("\n")}`);
  }
}

function exec(command, args, options) {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"], ...options });
}

/** Where node_modules of the packed package is: the files of the tarball, and links to its dependencies. */
function install(name, tarball) {
  const target = join(folder, "node_modules", "@fengni", name);
  mkdirSync(target, { recursive: true });
  exec("tar", ["-xzf", tarball, "-C", target, "--strip-components=1"]);
  const manifest = JSON.parse(readFileSync(join(target, "package.json"), "utf8"));
  const require = createRequire(join(root, "packages", name, "package.json"));
  for (const dependency of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    if (dependency.startsWith("@fengni/")) continue;
    const link = join(folder, "node_modules", dependency);
    if (existsSync(link)) continue;
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "packages", name, "node_modules", dependency), link);
    require.resolve(join(link, "package.json"));
  }
  return manifest;
}

try {
  const manifests = new Map();
  for (const name of packages) {
    const cwd = join(root, "packages", name);
    const pack = ["--yes", "--prefer-offline", packageManager, "pack", "--json", "--pack-destination", folder];
    const { filename, files } = JSON.parse(exec("npx", pack, { cwd }));
    const tarball = resolve(folder, filename);
    manifests.set(name, install(name, tarball));
    step(`${name}: holds only what is built`, () => {
      const strays = files
        .map(({ path }) => path)
        .filter((path) => !/^(dist\/|package\.json$|README\.md$|LICENSE$)/.test(path));
      if (strays.length > 0) throw new Error(`unexpected files: ${strays.join(", ")}`);
      for (const needed of ["README.md", "LICENSE"]) {
        if (!files.some(({ path }) => path === needed)) throw new Error(`${needed} is missing`);
      }
    });
    step(`${name}: nothing of the workspace is left in its manifest`, () => {
      const text = JSON.stringify(manifests.get(name));
      for (const word of ["workspace:", "catalog:", "@fengni/source"]) if (text.includes(word)) throw new Error(word);
    });
    const installed = join(folder, "node_modules", "@fengni", name);
    step(`${name}: publint`, () => exec(tool("publint"), ["--strict", "--pack", "false", installed]));
    if (Object.keys(manifests.get(name).exports).length > 1) {
      // node10 cannot see subpath exports: by decision.
      step(`${name}: are the types wrong`, () => exec(tool("attw"), [tarball, "--profile", "node16", "--no-emoji"]));
    }
  }
  for (const [name, { exports: entries, bin }] of manifests) {
    for (const entry of Object.keys(entries)) {
      if (entry === "./package.json") continue;
      const specifier = JSON.stringify(`@fengni/${name}${entry.slice(1)}`);
      const check = "if (Object.keys(loaded).length === 0) throw new Error('nothing is exported')";
      step(`${name}: import ${specifier}`, () =>
        exec(process.execPath, ["--input-type=module", "-e", `const loaded = await import(${specifier}); ${check}`], {
          cwd: folder,
        }),
      );
      step(`${name}: require ${specifier}`, () =>
        exec(process.execPath, ["--input-type=commonjs", "-e", `const loaded = require(${specifier}); ${check}`], {
          cwd: folder,
        }),
      );
      step(`${name}: no node module is imported where browsers look`, () =>
        browserSafe(name, entries[entry].import.default),
      );
    }
    for (const file of Object.values(bin ?? {})) {
      step(`${name}: ${file} runs`, () =>
        exec(process.execPath, [join(folder, "node_modules", "@fengni", name, file), "--version"]),
      );
    }
  }
  step("a program of a user type-checks against the built types", typeCheckUser);
  for (const type of ["module", "commonjs"]) step(`core: threads of streams, ${type}`, () => parallelStreams(type));
} finally {
  rmSync(folder, { recursive: true });
}
if (failures > 0) {
  console.log(`${failures} package checks failed`);
  process.exit(1);
}

/** crypto and core's main entry import no node module statically, so that bundles for browsers need no shim. */
function browserSafe(name, file) {
  if (name !== "crypto" && !(name === "core" && file.endsWith("index.js"))) return;
  const seen = new Set();
  const visit = (path) => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = readFileSync(path, "utf8");
    for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*["']([^"']+)["']/g)) {
      if (specifier.startsWith("node:")) throw new Error(`${path} imports ${specifier}`);
      if (specifier.startsWith(".")) visit(join(dirname(path), specifier));
    }
  };
  visit(join(folder, "node_modules", "@fengni", name, file));
}

/** A parallel stream each way finds its threads in the packed files, and lets the process end by itself. */
function parallelStreams(type) {
  const load = type === "module" ? "await import" : "require";
  const program = `
    const { Readable } = ${load}("node:stream");
    const { pipeline } = ${load}("node:stream/promises");
    const { Envelope, rawAesKey } = ${load}("@fengni/core");
    const { createDecryptStream, createEncryptStream } = ${load}("@fengni/core/node");
    let replies = 0;
    process.on("worker", (worker) => worker.on("message", (reply) => { if (reply.outputs) replies += 1; }));
    process.on("warning", (warning) => { throw warning; });
    const envelope = new Envelope({ wrappingKeys: [rawAesKey({ namespace: "a", name: "b", key: new Uint8Array(32) })] });
    const chunk = new Uint8Array(65536).fill(7);
    let sent = 0;
    let received = 0;
    async function* source() {
      while (replies < 4) {
        sent += chunk.length;
        yield chunk;
        await new Promise(setImmediate);
      }
    }
    const parallel = { workers: 1 };
    pipeline(
      Readable.from(source()),
      createEncryptStream(envelope, { parallel }),
      createDecryptStream(envelope, { parallel }),
      async (output) => { for await (const piece of output) received += piece.length; },
    ).then(() => { if (sent !== received) throw new Error(sent + " bytes sent, " + received + " received"); });
  `;
  exec(process.execPath, [`--input-type=${type}`, "-e", program], { cwd: folder, timeout: 60_000 });
}

function typeCheckUser() {
  const program = `
    import { LocalKeyAdmin, LocalKeyProvider, LocalKms } from "@fengni/backend-local";
    import { Envelope, isFengniError, providerKey } from "@fengni/core";
    import { createEncryptStream } from "@fengni/core/node";
    const kms = new LocalKms();
    await new LocalKeyAdmin(kms).createKey({ alias: "app" });
    const envelope = new Envelope({ wrappingKeys: [providerKey(new LocalKeyProvider(kms), "app")] });
    const message: Uint8Array = await envelope.encrypt("text");
    createEncryptStream(envelope).end(message);
    try {
      await envelope.decrypt(message, { encryptionContext: { a: "b" } });
    } catch (error) {
      if (isFengniError(error, "ERR_CONTEXT_MISMATCH")) console.log(error.details?.key);
    }
  `;
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  symlinkSync(join(root, "node_modules", "@types"), join(folder, "node_modules", "@types"));
  for (const extension of ["ts", "cts"]) {
    const source = extension === "ts" ? program : `${program.replaceAll("await ", "void ")}`;
    writeFileSync(
      join(folder, `user.${extension}`),
      extension === "ts" ? source : "import core = require('@fengni/core'); core.inspect;",
    );
  }
  const options = ["--noEmit", "--strict", "--target", "es2023", "--module", "nodenext", "--types", "node"];
  exec(tool("tsc"), [...options, "user.ts", "user.cts"], { cwd: folder });
}

if (readdirSync(join(root, "packages")).length !== packages.length) {
  throw new Error("scripts/workspace.mjs does not list every package");
}
