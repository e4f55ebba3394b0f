// The errors of the policy code: what a policy's author got wrong, and what the programmer got wrong. It must not know how a
// policy is read or evaluated.

/**
 * A policy that was refused on load: nothing of it is evaluated, because a policy that is half understood may open access.
 * `path` says where, for example `statement[2].condition.ip_equal.qcs:ip[0]`; it is empty for the policy as a whole.
 */
export class PolicyError extends Error {
  override readonly name: string = "PolicyError";
  readonly code: "ERR_POLICY" = "ERR_POLICY";
  readonly path: string;

  constructor(path: string, message: string) {
    super(path === "" ? message : `${path}: ${message}`);
    this.path = path;
  }
}

/**
 * Recognises a {@link PolicyError} of any copy of this package.
 * @param value - anything
 * @returns whether it is one
 */
export function isPolicyError(value: unknown): value is PolicyError {
  return value instanceof Error && "code" in value && value.code === "ERR_POLICY" && "path" in value;
}

/** A wrong argument: the programmer's fault, never the policy author's. */
export function argumentError(message: string): TypeError {
  return Object.assign(new TypeError(message), { code: "ERR_ARGUMENT" });
}

/** At most `limit` characters of a text of the author's, quoted, so that an error stays readable. */
export function quote(text: string, limit = 80): string {
  return JSON.stringify(text.length > limit ? `${text.slice(0, limit)}...` : text);
}
