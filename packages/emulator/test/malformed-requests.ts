// Malformed requests by chance, the same for the same seed: signed ones that were damaged, and bytes that never were a request. It
// must not know what a server makes of them.

/** Draws numbers. */
export interface Chance {
  /** From 0 up to `below`. */
  pick(below: number): number;
}

/** A generator with a seed (xorshift, 32 bits). It is no source of secrets. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0 || 1;
  return {
    pick: (below) => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      state >>>= 0;
      return state % below;
    },
  };
}

type Damage = (request: string, chance: Chance) => string;

const LINES = [
  "Transfer-Encoding: chunked",
  "Content-Length: 7",
  "Content-Length: -1",
  "Host: b",
  " folded",
  "X-TC-Action: CreateKey",
  "X-TC-Timestamp: 99999999999999999999",
  "Authorization: TC3-HMAC-SHA256 Credential=a/b/c/d, SignedHeaders=, Signature=",
  `X: ${"a".repeat(20_000)}`,
  "X\0: b",
  "Connection: upgrade",
  "Expect: 100-continue",
];
const BODIES = ["{", "[]", "null", '{"KeyId":', `${"[".repeat(5_000)}`, '{"__proto__":1}', "\ufffd", '{"Limit":1e999}'];

const DAMAGES: readonly Damage[] = [
  // Any byte becomes another.
  (request, chance) => {
    const at = chance.pick(request.length);
    return request.slice(0, at) + String.fromCharCode(chance.pick(256)) + request.slice(at + 1);
  },
  // It breaks off.
  (request, chance) => request.slice(0, chance.pick(request.length)),
  // Something is left out of the middle.
  (request, chance) => {
    const at = chance.pick(request.length);
    return request.slice(0, at) + request.slice(at + 1 + chance.pick(40));
  },
  // A line more.
  (request, chance) => {
    const lines = request.split("\r\n");
    lines.splice(1 + chance.pick(lines.length), 0, LINES[chance.pick(LINES.length)] as string);
    return lines.join("\r\n");
  },
  // Another body, with its length.
  (request, chance) => {
    const body = BODIES[chance.pick(BODIES.length)] as string;
    const head = request.slice(0, request.indexOf("\r\n\r\n"));
    return `${head.replace(/Content-Length: \d+/, `Content-Length: ${Buffer.byteLength(body)}`)}\r\n\r\n${body}`;
  },
  // Another way to end lines.
  (request) => request.replaceAll("\r\n", "\n"),
  // No request at all.
  (_request, chance) => {
    const length = 1 + chance.pick(400);
    return Array.from({ length }, () => String.fromCharCode(chance.pick(256))).join("");
  },
];

/** A malformed request, made of a good one. */
export function malformed(request: string, chance: Chance): string {
  const damage = DAMAGES[chance.pick(DAMAGES.length)] as Damage;
  return damage(request, chance);
}
