// The walls between packages and files, read from the sources: who may import what, and where effects may be had.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

interface Source {
  /** For example `core/src/wire/header.ts`. */
  readonly path: string;
  readonly package: string;
  readonly text: string;
  /** Source without comments and strings, for searching words of code. */
  readonly code: string;
  readonly imports: readonly string[];
}

function sourcesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? sourcesBelow(path) : path.endsWith(".ts") ? [path] : [];
  });
}

const packages = readdirSync(join(root, "packages"));
const sources: readonly Source[] = packages.flatMap((name) =>
  sourcesBelow(join(root, "packages", name, "src")).map((file) => {
    const text = readFileSync(file, "utf8");
    return {
      path: relative(join(root, "packages"), file),
      package: name,
      text,
      code: text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[^:])\/\/.*$/gm, "$1"),
      imports: [...text.matchAll(/(?<![\w"-])(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1] as string),
    };
  }),
);

/** What each package may import beside itself. Arrows run one way: no backend imports another, core imports none. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  crypto: ["@noble/ciphers", "@noble/curves", "@noble/hashes", "@noble/post-quantum"],
  core: ["@fengni/crypto", "lru-cache", "@opentelemetry/api"],
  "backend-local": ["@fengni/core", "@fengni/crypto", "libsql"],
  testing: ["@fengni/core", "@fengni/crypto"],
  "kms-api": ["@fengni/crypto"],
  "backend-remote": ["@fengni/core", "@fengni/crypto", "@fengni/kms-api"],
  emulator: ["@fengni/core", "@fengni/crypto", "@fengni/backend-local", "@fengni/kms-api"],
  cli: [
    "@fengni/core",
    "@fengni/crypto",
    "@fengni/backend-local",
    "@fengni/kms-api",
    "@fengni/emulator",
    "@fengni/testing",
  ],
};

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}

function offenders(isAllowed: (source: Source) => boolean, pattern: RegExp): string[] {
  return sources.filter((source) => !isAllowed(source) && pattern.test(source.code)).map((source) => source.path);
}

describe("architecture", () => {
  test("every package is known, and has sources", () => {
    expect(packages.sort()).toEqual(Object.keys(MAY_IMPORT).sort());
    for (const name of packages)
      expect(
        sources.some((source) => source.package === name),
        name,
      ).toBe(true);
  });

  test("imports follow the graph", () => {
    const wrong: string[] = [];
    for (const { path, package: name, imports } of sources) {
      for (const specifier of imports) {
        if (specifier.startsWith(".") || specifier.startsWith("node:")) continue;
        if (!MAY_IMPORT[name]?.includes(packageOf(specifier))) wrong.push(`${path} imports ${specifier}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test("node's modules are imported only at the edges", () => {
    const isEdge = (path: string): boolean =>
      path.startsWith("cli/") ||
      path.startsWith("emulator/") ||
      path.startsWith("backend-remote/") ||
      /^core\/src\/(.*-node|parallel-.*)\.ts$/.test(path) ||
      /^backend-local\/src\/(store|seal)/.test(path);
    const wrong = sources
      .filter(({ path, text }) => !isEdge(path) && /^import (?!type).*"node:/m.test(text))
      .map(({ path }) => path);
    expect(wrong).toEqual([]);
  });

  test("only the runtime file obtains node:crypto or subtle", () => {
    const isRuntime = ({ path }: Source): boolean => path === "crypto/src/runtime.ts";
    expect(offenders(isRuntime, /getBuiltinModule|globalThis\.crypto|\bcrypto\.subtle\b/)).toEqual([]);
  });

  test("clock, chance, environment and console are had where they belong", () => {
    expect(offenders(({ path }) => /clock|progress/.test(path), /\bDate\.now\b|new Date\(\)/)).toEqual([]);
    expect(offenders(() => false, /\bMath\.random\b/)).toEqual([]);
    expect(
      offenders(
        ({ path }) =>
          path === "cli/src/config.ts" ||
          path === "cli/src/main.ts" ||
          path === "backend-remote/src/credentials-environment.ts",
        /\bprocess\.env\b/,
      ),
    ).toEqual([]);
    expect(offenders(({ package: name }) => name === "cli", /\bconsole\./)).toEqual([]);
  });

  test("vendor words stay out of the neutral packages", () => {
    expect(
      offenders(
        ({ path, package: name }) =>
          name === "kms-api" || name === "emulator" || name === "backend-remote" || path.startsWith("cli/"),
        /tencent|\bCAM\b|TC3/i,
      ),
    ).toEqual([]);
  });

  test("files stay small enough to have one reason to change", () => {
    // What a generator writes is changed in its source.
    const long = sources
      .filter(({ path, text }) => !path.endsWith(".gen.ts") && text.split("\n").length > 400)
      .map(({ path }) => path);
    expect(long).toEqual([]);
  });

  test("every file says first what it is for", () => {
    const silent = sources.filter(({ text }) => !/^(#!.*\n)?(\/\/|\/\*)/.test(text)).map(({ path }) => path);
    expect(silent).toEqual([]);
  });
});
