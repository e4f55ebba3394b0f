import { copyFile } from "node:fs/promises";
import { defineConfig } from "tsup";
import { buildOf } from "../../tsup.base.js";

export default defineConfig(
  buildOf(
    { index: "src/index.ts", node: "src/stream-node.ts", opentelemetry: "src/opentelemetry.ts" },
    {
      // Threads of parallel streams run this file as it is, found beside the code that starts them.
      onSuccess: () => copyFile("src/frame-worker.mjs", "dist/frame-worker.mjs"),
      esbuildOptions(options) {
        // In CommonJS there is no import.meta: the code asks for it only where there is no __dirname.
        options.logOverride = { "empty-import-meta": "silent" };
      },
    },
  ),
);
