// Types of generate.mjs, for the test that regenerates.

/** The generated files: their paths within the package, and their texts. */
export function generate(catalogue: unknown): Record<"src/actions.gen.ts" | "src/actions-table.gen.ts", string>;
