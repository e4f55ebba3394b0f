// Compiles SM4 and GHASH, and writes them into the source as base64:  npx tsx packages/crypto/wasm-sm4/compile.ts
// It must not be part of the package: a test compiles again and compares.
import { readFileSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const OPTIONS = ["--optimizeLevel", "3", "--shrinkLevel", "0", "--converge", "--noAssert", "--runtime", "stub"];
// A memory that cannot grow is one whose buffer stays the same.
const MEMORY = ["--initialMemory", "3", "--maximumMemory", "3"];
const CIRCUIT: URL = new URL("../src/sm4-round.ts", import.meta.url);
const TARGET: URL = new URL("../src/sm4-wasm-binary.ts", import.meta.url);

/**
 * The S-box for 128 bits at once, made of the gates in sm4-round.ts, where they are explained: the circuit stands in one place only.
 * It is inlined, so that its input stays in registers; its result goes through the memory.
 */
function sboxSource(): string {
  const names: Readonly<Record<string, string>> = { "&": "and", "|": "or", "^": "xor" };
  const gates = [...readFileSync(CIRCUIT, "utf8").matchAll(/^ {2}const (\w+) = (\w+) ([&|^]) (\w+);$/gm)].map(
    ([, name, a, operator, b]) => `  const ${name} = v128.${names[operator as string]}(${a}, ${b});`,
  );
  const bits = Array.from({ length: 8 }, (_, bit) => bit);
  return [
    `import { SUBSTITUTED } from "./memory";`,
    `@inline export function substitute(${bits.map((bit) => `x${bit}: v128`).join(", ")}): void {`,
    ...gates,
    ...bits.map((bit) => `  v128.store(SUBSTITUTED, y${bit}, ${16 * bit});`),
    "}",
  ].join("\n");
}

/** Compiles the files beside this one. */
async function compile(features: readonly string[]): Promise<string> {
  let binary: Uint8Array | undefined;
  const { error, stderr } = await asc.main(
    ["index.ts", ...OPTIONS, ...MEMORY, ...features, "--outFile", "module.wasm"],
    {
      readFile(name) {
        if (basename(name) === "sbox.ts") return sboxSource();
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
    },
  );
  if (error !== null || binary === undefined) throw new Error(`SM4 does not compile:\n${stderr.toString()}`);
  return Buffer.from(binary).toString("base64");
}

/** The source file that holds the compiled modules. */
export async function sm4WasmSource(): Promise<string> {
  const plain = await compile(["--enable", "simd"]);
  const relaxed = await compile(["--enable", "simd", "--enable", "relaxed-simd"]);
  return `// SM4 and GHASH as WebAssembly, made of packages/crypto/wasm-sm4 by compile.ts there, whose comments explain it. Do not edit it.

/** The module for every runtime with vectors, in base64. */
export const SM4_WASM: string =
  "${plain}";

/** The module for runtimes that have relaxed vectors too, in base64. */
export const SM4_WASM_RELAXED: string =
  "${relaxed}";
`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TARGET, await sm4WasmSource());
