import { defineConfig } from "tsup";
import { buildOf } from "../../tsup.base.js";

// A native module that may be missing: never part of the build.
export default defineConfig(buildOf({ index: "src/index.ts" }, { external: [/^node:/, "libsql"] }));
