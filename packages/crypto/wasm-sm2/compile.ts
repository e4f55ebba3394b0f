// Compiles SM2's arithmetic, and writes it into the source as base64:  npx tsx packages/crypto/wasm-sm2/compile.ts
// It must not be part of the package: a test compiles again and compares.
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const OPTIONS = ["--optimizeLevel", "3", "--shrinkLevel", "0", "--converge", "--noAssert", "--runtime", "stub"];
// The table of multiples takes 65 KiB. A memory that cannot grow is one whose buffer stays the same.
const MEMORY = ["--initialMemory", "2", "--maximumMemory", "2"];
const TARGET: URL = new URL("../src/sm2-wasm-binary.ts", import.meta.url);

/** Compiles the files beside this one. */
async function compile(): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(["index.ts", ...OPTIONS, ...MEMORY, "--outFile", "module.wasm"], {
    readFile(name) {
      try {
        return readFileSync(new URL(basename(name), import.meta.url), "utf8");
      } catch {
        return null;
      }
    },
    writeFile(_name, contents) {
      if (typeof contents !== "string") binary = contents;
    },
    listFiles: () => [],
  });
  if (error !== null || binary === undefined)
    throw new Error(`SM2's arithmetic does not compile:\n${stderr.toString()}`);
  return binary;
}

/** The source file that holds the compiled module. */
export async function sm2WasmSource(): Promise<string> {
  const base64 = Buffer.from(await compile()).toString("base64");
  return `// SM2's arithmetic as WebAssembly, made of packages/crypto/wasm-sm2 by compile.ts there. It must not be edited by hand.

/** The module, in base64. */
export const SM2_WASM: string =
  "${base64}";
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TARGET, await sm2WasmSource());
