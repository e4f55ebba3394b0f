import { defineConfig } from "tsup";
import { buildOf } from "../../tsup.base.js";

export default defineConfig(
  buildOf({
    "aes-gcm": "src/aes-gcm.ts",
    bytes: "src/bytes.ts",
    ecdsa: "src/ecdsa.ts",
    errors: "src/errors.ts",
    hash: "src/hash.ts",
    random: "src/random.ts",
    report: "src/report.ts",
    rsa: "src/rsa.ts",
    secret: "src/secret.ts",
  }),
);
