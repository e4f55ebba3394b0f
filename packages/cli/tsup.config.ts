import { defineConfig } from "tsup";
import { buildOf } from "../../tsup.base.js";

export default defineConfig(
  buildOf({ main: "src/main.ts" }, { format: ["esm"], platform: "node", dts: false, splitting: false }),
);
