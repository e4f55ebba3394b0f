// The version of this package. Must lie beside main.ts: after the build both are one file, as far from package.json.
import { readFileSync } from "node:fs";

/** As in package.json. */
export const VERSION: string = (
  JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { readonly version: string }
).version;
