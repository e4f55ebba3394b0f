// What `serve` says when it accepts requests. Must not know how the emulator works.
import type { Emulator } from "@fengni/emulator";
import { toJson } from "./text.js";

/** What is said: of the emulator no more than this. */
type Started = Pick<Emulator, "endpoint" | "region" | "secretId" | "secretKey" | "adminToken" | "consoleUrl">;

/** One line for programs. The secret is there when it was made at start: those of a credentials file are never shown. */
export function startedJson({ endpoint, region, secretId, secretKey, adminToken }: Started): string {
  return `${toJson({ endpoint, region, secretId, secretKey, adminToken })}\n`;
}

/** A few lines for people. */
export function startedText({ endpoint, region, secretId, secretKey, adminToken, consoleUrl }: Started): string {
  const { host, protocol } = new URL(endpoint);
  const rows: readonly (readonly [string, string | undefined])[] = [
    ["endpoint", endpoint],
    ["region", region],
    ["secret id", secretId],
    ["secret key", secretKey],
    ["console", consoleUrl],
    ["admin token", adminToken],
  ];
  return [
    "The KMS emulator accepts requests. Ctrl-C ends it.",
    ...rows.flatMap(([name, value]) => (value === undefined ? [] : [`  ${name.padEnd(13)}${value}`])),
    `Point a client at it by its endpoint; the official one for Node.js takes`,
    `  profile: { httpProfile: { endpoint: "${host}", protocol: "${protocol}//" } }`,
    "",
  ].join("\n");
}
