// Texts from outside, made fit for an error's message: short, one line, and without anything that was sent in confidence. It must
// not know what the texts are about.

const MAX_MESSAGE_CHARACTERS = 400;
/** As many characters in a row that a text has in common with a secret count as a part of it. */
const SHARED_CHARACTERS = 8;
const MIN_SECRET_CHARACTERS = 4;
const REDACTED = "[redacted]";
const UNPRINTABLE = /[\p{C}\p{Zl}\p{Zp}]+/gu;
/** Fields whose values name something, as the catalogue calls them; every other text of a request is taken for a secret. */
const NAMES = /(?:Ids?|Alias|Name|Usage|Algorithm|Spec|Region|Type|Date|Days)$/;
const MAX_DEPTH = 4;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** The texts of a request that no message may repeat: what its fields hold, also as the text that base64 stands for. */
export function secretsOf(params: object, depth = 0): string[] {
  const secrets: string[] = [];
  for (const [name, value] of Object.entries(params) as [string, unknown][]) {
    if (typeof value === "string" && !NAMES.test(name)) {
      secrets.push(value);
      if (BASE64.test(value)) secrets.push(Buffer.from(value, "base64").toString("utf8"));
    } else if (typeof value === "object" && value !== null && depth < MAX_DEPTH) {
      secrets.push(...secretsOf(value, depth + 1));
    }
  }
  return secrets;
}

/** Marks the characters of `text` that belong to a secret, or to a part of one. */
function markShared(text: string, secret: string, isSecret: boolean[]): void {
  const length = Math.min(SHARED_CHARACTERS, secret.length);
  if (length < MIN_SECRET_CHARACTERS) return;
  for (let start = 0; start + length <= text.length; start++) {
    if (secret.includes(text.slice(start, start + length))) isSecret.fill(true, start, start + length);
  }
}

/**
 * A text in one line of at most 400 characters, in which whatever it shares with a secret is blotted out.
 * @param text - from outside, of any length
 * @param secrets - texts that must not show
 */
export function redact(text: string, secrets: readonly string[]): string {
  const line = text.slice(0, MAX_MESSAGE_CHARACTERS).replace(UNPRINTABLE, " ");
  const isSecret = new Array<boolean>(line.length).fill(false);
  for (const secret of secrets) markShared(line, secret, isSecret);
  let shown = "";
  for (let i = 0; i < line.length; i++) {
    if (!isSecret[i]) shown += line[i];
    else if (!isSecret[i - 1]) shown += REDACTED;
  }
  return text.length > MAX_MESSAGE_CHARACTERS ? `${shown}...` : shown;
}
