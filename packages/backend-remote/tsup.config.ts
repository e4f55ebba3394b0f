import { defineConfig } from "tsup";
import { buildOf } from "../../tsup.base.js";

export default defineConfig(buildOf({ index: "src/index.ts" }));
