import type { Options } from "tsup";

/** The build that every package shares: ESM and CommonJS from one source, types for each, shared chunks. */
export function buildOf(entry: Record<string, string>, overrides: Options = {}): Options {
  return {
    entry,
    format: ["esm", "cjs"],
    target: "node20",
    platform: "neutral",
    splitting: true,
    clean: true,
    treeshake: true,
    sourcemap: true,
    tsconfig: "tsconfig.build.json",
    dts: true,
    // Without its prefix a module of node is one of npm to some bundlers.
    removeNodeProtocol: false,
    external: [/^node:/],
    ...overrides,
  };
}
