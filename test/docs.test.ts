// Documents match the code: every error code is explained, every suite is listed, links lead somewhere.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { algorithmSuites } from "@fengni/core";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

const documents = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`),
  ...readdirSync(join(root, "packages")).map((name) => `packages/${name}/README.md`),
];

test("docs/errors.md explains every code, once, and no other", () => {
  const declared = [...read("packages/crypto/src/errors.ts").matchAll(/^ {2}(ERR_[A-Z_]+):/gm)].map(
    (match) => match[1],
  );
  const explained = [...read("docs/errors.md").matchAll(/^\| `(ERR_[A-Z_]+)`/gm)].map((match) => match[1]);
  expect(declared.length).toBeGreaterThan(20);
  expect(explained.sort()).toEqual(declared.sort());
});

test("docs/message-format.md lists every suite", () => {
  const text = read("docs/message-format.md");
  for (const { id } of algorithmSuites()) expect(text).toContain(`\`${id.toString(16).padStart(4, "0")}\``);
});

test("links in documents lead to files that are there", () => {
  const dead: string[] = [];
  let links = 0;
  for (const document of documents) {
    for (const [, target] of read(document).matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)) {
      links += 1;
      if (!existsSync(join(root, dirname(document), target as string))) dead.push(`${document} -> ${target}`);
    }
  }
  expect(dead).toEqual([]);
  expect(links).toBeGreaterThan(15);
});

test("the README's scripts are scripts", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Record<string, string> };
  const named = [...read("README.md").matchAll(/npm (?:run (?:--silent )?)?([a-z:]+)/g)].map(
    (match) => match[1] as string,
  );
  expect(named.length).toBeGreaterThan(8);
  for (const name of named) if (name !== "are") expect(Object.keys(scripts), name).toContain(name);
});
