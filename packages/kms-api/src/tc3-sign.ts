// Signing requests with TC3-HMAC-SHA256. It must not send anything, nor know the time by itself.
import { bytesToHex, wipe } from "@fengni/crypto/bytes";
import { FengniError } from "@fengni/crypto/errors";
import {
  canonicalRequest,
  credentialScope,
  deriveSigningKey,
  hashPayload,
  isSignableValue,
  MAX_TIMESTAMP_SECONDS,
  REQUIRED_SIGNED_HEADERS,
  signatureOf,
  stringToSign,
  TC3_SCHEME,
  UNSIGNED_PAYLOAD,
  utcDate,
} from "./tc3-canonical.js";

/** The credential that signs, and for which service. */
export interface SignerOptions {
  /** The id of the API key: letters, digits, `-`, `_`, at most 128. */
  readonly secretId: string;
  /** The secret of the API key; not empty. */
  readonly secretKey: string;
  /** The session token of a temporary credential: printable ASCII. It is sent, and not signed. */
  readonly token?: string;
  /** The service's name in the scope; default `kms`. */
  readonly service?: string;
}

/** The parts of a request that are signed. */
export interface RequestToSign {
  readonly method: "GET" | "POST";
  /** Default `/`, which is the service's only path. */
  readonly path?: string;
  /** What follows `?`, exactly as it is sent; default empty, as it must be for POST. */
  readonly query?: string;
  /**
   * The headers to sign: at least `Content-Type` and `Host`, both in lower case, in which verifiers differ. Of any other, such as
   * `X-TC-Action`, the value is signed in lower case.
   */
  readonly headers: Readonly<Record<string, string>>;
  /** The exact bytes of the body (empty for GET), or `UNSIGNED-PAYLOAD` to leave them out. */
  readonly payload: Uint8Array | typeof UNSIGNED_PAYLOAD;
  /** Whole Unix seconds. */
  readonly timestampSeconds: number;
}

/** The headers to add to a request; those that were signed must be sent as given. */
export interface SignatureHeaders {
  readonly Authorization: string;
  readonly "X-TC-Timestamp": string;
  readonly "X-TC-Token"?: string;
  readonly "X-TC-Content-SHA256"?: string;
}

/** Signs requests with one credential. Printing it shows no secret. */
export interface Signer {
  /**
   * Signs a request. The same request at the same second has the same signature: there is no nonce.
   * @param request - what to sign
   * @returns the headers to add
   * @throws TypeError or RangeError `ERR_ARGUMENT` for a request that cannot be signed; FengniError `ERR_CLOSED` after `wipe()`
   */
  sign(request: RequestToSign): SignatureHeaders;
  /** Forgets the credential and wipes the day's key; calling it again does nothing. */
  wipe(): void;
}

const SECRET_ID = /^[A-Za-z0-9_-]{1,128}$/;
const SECRET_KEY = /^[\x21-\x7e]{1,256}$/;
const TOKEN = /^[\x21-\x7e]{1,8192}$/;
const SERVICE = /^[A-Za-z0-9.:_-]{1,255}$/;
const PATH = /^\/[\x21-\x7e]*$/;
const QUERY = /^[\x21-\x7e]*$/;
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

function argumentError(message: string): RangeError {
  return Object.assign(new RangeError(message), { code: "ERR_ARGUMENT" });
}

function credentialError(what: string): FengniError<"ERR_CREDENTIALS"> {
  return new FengniError("ERR_CREDENTIALS", `the credential cannot sign: ${what}`);
}

/** Names in lower case and ascending order, with values as they are signed. */
function headersToSign(headers: Readonly<Record<string, string>>): [name: string, value: string][] {
  const pairs = Object.entries(headers).map(([name, value]): [string, string] => {
    const lowerName = name.toLowerCase();
    if (!HEADER_NAME.test(lowerName)) throw argumentError(`"headers" expected header names`);
    if (!isSignableValue(value)) throw argumentError(`"headers" expected printable ASCII as the value of ${lowerName}`);
    const lowerValue = value.trim().toLowerCase();
    if (REQUIRED_SIGNED_HEADERS.includes(lowerName) && lowerValue !== value) {
      throw argumentError(`"headers" expected ${lowerName} in lower case and without blanks around it`);
    }
    return [lowerName, lowerValue];
  });
  pairs.sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [i, [name]] of pairs.entries()) {
    if (name === pairs[i - 1]?.[0]) throw argumentError(`"headers" expected each header once, got ${name} twice`);
  }
  for (const name of REQUIRED_SIGNED_HEADERS) {
    if (!pairs.some(([other]) => other === name)) throw argumentError(`"headers" expected ${name} among them`);
  }
  return pairs;
}

function checkRequest({ method, path = "/", query = "", timestampSeconds }: RequestToSign): void {
  if (method !== "GET" && method !== "POST") throw argumentError(`"method" expected GET or POST`);
  if (!PATH.test(path) || path.includes("?")) throw argumentError(`"path" expected a path without a query`);
  if (!QUERY.test(query)) throw argumentError(`"query" expected an encoded query`);
  if (method === "POST" && query !== "") throw argumentError(`"query" expected nothing for POST`);
  if (!Number.isSafeInteger(timestampSeconds) || timestampSeconds < 0 || timestampSeconds > MAX_TIMESTAMP_SECONDS) {
    throw argumentError(`"timestampSeconds" expected whole seconds of 0..${MAX_TIMESTAMP_SECONDS}`);
  }
}

class Tc3Signer implements Signer {
  readonly #secretId: string;
  readonly #token: string | undefined;
  readonly #service: string;
  #secretKey: string | undefined;
  // The key of the last day signed for: it spares three of four HMACs.
  #date = "";
  #signingKey: Uint8Array = new Uint8Array(0);

  constructor({ secretId, secretKey, token, service = "kms" }: SignerOptions) {
    if (!SECRET_ID.test(secretId)) throw credentialError("its id is not letters, digits, - and _ (1 to 128)");
    if (!SECRET_KEY.test(secretKey)) throw credentialError("its secret is not 1 to 256 printable characters");
    if (token !== undefined && !TOKEN.test(token)) {
      throw credentialError("its token is not 1 to 8,192 printable characters; leave it out if there is none");
    }
    if (!SERVICE.test(service)) throw argumentError(`"service" expected a service's name`);
    this.#secretId = secretId;
    this.#secretKey = secretKey;
    this.#token = token;
    this.#service = service;
  }

  sign(request: RequestToSign): SignatureHeaders {
    if (this.#secretKey === undefined) throw new FengniError("ERR_CLOSED", "the signer was wiped: make a new one");
    checkRequest(request);
    const { method, path = "/", query = "", payload, timestampSeconds } = request;
    const headers = headersToSign(request.headers);
    const date = utcDate(timestampSeconds);
    this.#deriveKeyOf(date, this.#secretKey);
    const timestamp = String(timestampSeconds);
    const scope = credentialScope(date, this.#service);
    const canonical = canonicalRequest({ method, path, query, headers, payloadHash: hashPayload(payload) });
    const signature = bytesToHex(signatureOf(this.#signingKey, stringToSign(timestamp, scope, canonical)));
    const names = headers.map(([name]) => name).join(";");
    return {
      Authorization: `${TC3_SCHEME} Credential=${this.#secretId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
      "X-TC-Timestamp": timestamp,
      ...(this.#token === undefined ? {} : { "X-TC-Token": this.#token }),
      ...(payload === UNSIGNED_PAYLOAD ? { "X-TC-Content-SHA256": UNSIGNED_PAYLOAD } : {}),
    };
  }

  #deriveKeyOf(date: string, secretKey: string): void {
    if (date === this.#date) return;
    wipe(this.#signingKey);
    this.#signingKey = deriveSigningKey(secretKey, date, this.#service);
    this.#date = date;
  }

  wipe(): void {
    this.#secretKey = undefined;
    this.#date = "";
    wipe(this.#signingKey);
  }
}

/**
 * Makes a signer for one credential. It keeps the signing key of the last day it signed for; make a new one when the credential
 * changes, and wipe the old one.
 * @param options - the credential
 * @returns the signer
 * @throws FengniError `ERR_CREDENTIALS` for a credential that no request can carry; RangeError `ERR_ARGUMENT` for a service that
 * is no name
 *
 * @example
 * const signer = createSigner({ secretId, secretKey });
 * const added = signer.sign({
 *   method: "POST",
 *   headers: { "content-type": "application/json", host: "kms.tencentcloudapi.com" },
 *   payload: body,
 *   timestampSeconds,
 * });
 */
export function createSigner(options: SignerOptions): Signer {
  return new Tc3Signer(options);
}
