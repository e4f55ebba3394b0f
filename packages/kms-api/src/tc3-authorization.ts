// The grammar of the header Authorization of TC3-HMAC-SHA256. It must not know secrets, requests or the time.
import { ApiError } from "./errors.js";
import { TC3_SCHEME } from "./tc3-canonical.js";

/** Longest header that is looked at, in characters. */
export const MAX_AUTHORIZATION_CHARACTERS = 4096;
/** Most headers that a signature may cover. */
const MAX_SIGNED_HEADERS = 64;

/** What the header says. */
export interface Authorization {
  /** As sent: printable ASCII without `/` and `,`, at most 128. */
  readonly secretId: string;
  /** `YYYY-MM-DD`; whether it is a day is not checked. */
  readonly date: string;
  /** The service's name in the scope, as sent: at most 255 characters. */
  readonly service: string;
  /** In lower case and ascending order, each once. */
  readonly signedHeaders: readonly string[];
  /** 64 lower-case hexadecimal digits. */
  readonly signature: string;
}

// Scheme, one space, three items in this order with blanks allowed around the commas. No two neighbouring parts share a
// character, so that it runs in linear time. Upper-case hexadecimal is refused: official clients send lower case.
const GRAMMAR =
  /^TC3-HMAC-SHA256 Credential=([\x20-\x2b\x2d\x2e\x30-\x7e]{1,128})\/(\d{4}-\d{2}-\d{2})\/([\x21-\x2b\x2d\x2e\x30-\x7e]{1,255})\/tc3_request[ \t]*,[ \t]*SignedHeaders=([a-z0-9!#$%&'*+.^_`|~;-]+)[ \t]*,[ \t]*Signature=([0-9a-f]{64})$/;

function invalid(why: string): ApiError {
  return new ApiError("AuthFailure.InvalidAuthorization", `The header Authorization is not valid: ${why}.`);
}

function readSignedHeaders(text: string): readonly string[] {
  const names = text.split(";");
  if (names.length > MAX_SIGNED_HEADERS) throw invalid(`it signs more than ${MAX_SIGNED_HEADERS} headers`);
  let previous = "";
  for (const name of names) {
    // Also refuses an empty name, which is greater than nothing.
    if (name <= previous) throw invalid("SignedHeaders must be names in ascending order, each once");
    previous = name;
  }
  return names;
}

/**
 * Reads the header `Authorization`.
 * @param header - its value, or undefined where there is none
 * @returns what it says; nothing of it is verified
 * @throws ApiError `AuthFailure.InvalidAuthorization` for no header, one of more than 4,096 characters, another scheme, or any
 * departure from the form `TC3-HMAC-SHA256 Credential=<id>/<date>/<service>/tc3_request, SignedHeaders=<a;b>, Signature=<hex>`
 */
export function parseAuthorization(header: string | undefined): Authorization {
  if (header === undefined || header === "") throw invalid("it is missing");
  if (header.length > MAX_AUTHORIZATION_CHARACTERS) {
    throw invalid(`it is longer than ${MAX_AUTHORIZATION_CHARACTERS} characters`);
  }
  if (header === "SKIP") throw invalid("this service takes no unsigned request");
  if (!header.startsWith(`${TC3_SCHEME} `)) throw invalid(`the scheme must be ${TC3_SCHEME}`);
  const [, secretId, date, service, signedHeaders, signature] = GRAMMAR.exec(header) ?? [];
  if (
    secretId === undefined ||
    date === undefined ||
    service === undefined ||
    signedHeaders === undefined ||
    signature === undefined
  ) {
    throw invalid(
      "expected Credential=<id>/<date>/<service>/tc3_request, SignedHeaders=<names>, Signature=<64 lower-case digits>",
    );
  }
  return { secretId, date, service, signedHeaders: readSignedHeaders(signedHeaders), signature };
}
