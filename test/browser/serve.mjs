// Bundles the page of the browser's suite, and serves it with the vectors on a port of the loopback interface. It must not know what is
// tested.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { join, normalize } from "node:path";
import { build } from "esbuild";

const HTML = '<!doctype html><meta charset="utf-8"><title>Fengni</title><script type="module" src="/page.js"></script>';
/** No inline code, no eval, nothing from elsewhere: WebAssembly is all that a site has to allow. */
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'";
/** What may be in the bundle. A shim for a module of Node would come from elsewhere. */
const ORIGINS = [/^test\/browser\//, /^packages\/(core|crypto)\//, /^node_modules\/.*\/(@noble\/[a-z-]+|lru-cache)\//];

/**
 * Bundles the page for browsers, without any shim.
 * @param root - the folder of the workspace
 * @param fromSource - whether packages are taken from src and not from dist
 * @returns the script, and its length in bytes
 * @throws when it needs a module of Node or takes in what it must not
 */
export async function bundle(root, fromSource) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: ["test/browser/page.ts"],
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    conditions: fromSource ? ["@fengni/source"] : [],
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const wrong = fromSource ? /^packages\/[a-z-]+\/dist\// : /^packages\/[a-z-]+\/src\//;
  for (const input of Object.keys(metafile.inputs)) {
    const path = input.replace(/^(\.\.\/)+.*?node_modules\//, "node_modules/");
    if (wrong.test(path) || !ORIGINS.some((origin) => origin.test(path))) throw new Error(`the bundle holds ${input}`);
  }
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.values(output.inputs));
  const bytes = inputs.reduce((sum, { bytesInOutput }) => sum + bytesInOutput, 0);
  return { script: outputFiles[0].text, bytes };
}

const TYPES = { ".json": "application/json", ".bin": "application/octet-stream" };

/** Answers one request: the page, its script, and files below vectors/. */
function answer(root, script, path) {
  if (path === "/") return [200, "text/html", HTML];
  if (path === "/page.js") return [200, "text/javascript", script];
  if (path === "/favicon.ico") return [204, "image/x-icon", ""];
  const type = TYPES[/\.[a-z]+$/.exec(path)?.[0] ?? ""];
  if (type === undefined || !path.startsWith("/vectors/") || normalize(path) !== path) return [404, "text/plain", path];
  try {
    return [200, type, readFileSync(join(root, path))];
  } catch {
    return [404, "text/plain", path];
  }
}

/** Serves the page. Gives its address and what closes the server. */
export async function serve(root, script) {
  const server = createServer((request, response) => {
    const [status, type, body] = answer(root, script, new URL(request.url ?? "/", "http://localhost").pathname);
    response.writeHead(status, {
      "content-type": `${type}; charset=utf-8`,
      "content-security-policy": POLICY,
      "cross-origin-opener-policy": "same-origin",
      "x-content-type-options": "nosniff",
    });
    response.end(body);
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${server.address().port}/`, close };
}
