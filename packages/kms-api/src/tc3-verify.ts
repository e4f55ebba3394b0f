// Verifying requests signed with TC3-HMAC-SHA256, in the service's order and with its codes. It must not know how requests
// arrive, where secrets are kept, nor what a caller may do.
import { equalBytes, hexToBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { ApiError } from "./errors.js";
import { type Authorization, parseAuthorization } from "./tc3-authorization.js";
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
  UNSIGNED_PAYLOAD,
  utcDate,
} from "./tc3-canonical.js";
import type { ReplayWindow, SignedUse } from "./tc3-replay.js";

/** A request as it was received. */
export interface RequestToVerify {
  /** `GET` or `POST`. */
  readonly method: string;
  /** The path as received, without the query. */
  readonly path: string;
  /** The bytes after `?` as received, neither decoded nor sorted; empty where there is none. */
  readonly query: string;
  /** Names in lower case, values as received; several values of one name are refused where it matters. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The exact bytes of the body, whose length the caller has bounded. */
  readonly payload: Uint8Array;
}

/** What is known of a SecretId. */
export interface SecretRecord {
  readonly secretKey: string;
  /** The session token, for a temporary credential only. */
  readonly token?: string;
  /** When the token ends, Unix seconds; never when left out. */
  readonly tokenExpiresAtSeconds?: number;
  /** Who holds the secret: all of one holder's secrets have one share of a replay window. The SecretId when left out. */
  readonly holder?: string;
}

/** How to verify. */
export interface VerifyOptions {
  /** The time now, Unix seconds. */
  readonly nowSeconds: number;
  /** How far the request's time may be from now, in seconds, either way; default 300, which is still accepted itself. */
  readonly windowSeconds?: number;
  /**
   * The service that the scope must name; default `kms`. `*` takes any, which the official Node client needs on a loopback
   * address: it writes the address before its first dot.
   */
  readonly service?: string;
  /** Whether a request may leave its body unsigned; default false. */
  readonly allowUnsignedPayload?: boolean;
  /** Refuses repeated requests; none by default, because the service takes them. */
  readonly replay?: ReplayWindow;
}

/** What a verified request has proven. */
export interface VerifiedRequest<Secret extends SecretRecord> {
  readonly secretId: string;
  /** What the look-up gave for it. */
  readonly secret: Secret;
  /** The service that the scope names. */
  readonly service: string;
  readonly timestampSeconds: number;
  /** Names in lower case; a header that is not among them, such as the action, was not signed. */
  readonly signedHeaders: readonly string[];
  readonly isPayloadSigned: boolean;
}

const REQUIRED_HEADERS = [
  ["x-tc-action", "Action"],
  ["x-tc-version", "Version"],
  ["x-tc-timestamp", "Timestamp"],
] as const;
const TIMESTAMP = /^(?:0|[1-9]\d{0,11})$/;
const SECRET_ID = /^[A-Za-z0-9_-]{1,128}$/;
const METHOD = /^[A-Z]{1,16}$/;
/** Printable ASCII without blanks: a line break would move the bounds of what is signed. */
const ENCODED = /^[\x21-\x7e]*$/;
const PORT = /:\d{1,5}$/;
const MAX_TOKEN_CHARACTERS = 8192;
// The signature's parameters stand near the front of a form, sorted by name.
const LEGACY_SEARCH_BYTES = 65536;
const LEGACY_SIGNATURE = /(?:^|&)Signature(?:Method)?=/;

function failure(detail: string, message: string): ApiError {
  return new ApiError(`AuthFailure.${detail}`, message);
}

/** A header's one value; undefined where it is absent, or stands there several times. */
function headerOf({ headers }: RequestToVerify, name: string): string | undefined {
  const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** Refuses the older signature, whose parameters stand in the query or in a form. */
function refuseLegacySignature(request: RequestToVerify): void {
  if (headerOf(request, "authorization") !== undefined) return;
  const isForm = /^application\/x-www-form-urlencoded/i.test(headerOf(request, "content-type") ?? "");
  const form = isForm ? new TextDecoder("latin1").decode(request.payload.subarray(0, LEGACY_SEARCH_BYTES)) : "";
  if (LEGACY_SIGNATURE.test(request.query) || LEGACY_SIGNATURE.test(form)) {
    throw failure(
      "InvalidAuthorization",
      "The signature methods HmacSHA1 and HmacSHA256 are not accepted. Sign with TC3-HMAC-SHA256.",
    );
  }
}

function readTimestamp(request: RequestToVerify): string {
  for (const [name, parameter] of REQUIRED_HEADERS) {
    if ((headerOf(request, name) ?? "") === "") {
      throw new ApiError("MissingParameter", `The request is missing the required parameter \`${parameter}\`.`);
    }
  }
  const timestamp = headerOf(request, "x-tc-timestamp") ?? "";
  if (!TIMESTAMP.test(timestamp) || Number(timestamp) > MAX_TIMESTAMP_SECONDS) {
    throw new ApiError("InvalidParameter", "The parameter `Timestamp` must be whole Unix seconds.");
  }
  return timestamp;
}

function findSecret<Secret extends SecretRecord>(
  secretId: string,
  lookUpSecret: (secretId: string) => Secret | undefined,
): Secret {
  // An id with blanks is one that does not exist, says the service's list of errors.
  if (!SECRET_ID.test(secretId) && !/\s/.test(secretId)) {
    throw failure("InvalidSecretId", "The SecretId is not the id of an API key.");
  }
  const secret = SECRET_ID.test(secretId) ? lookUpSecret(secretId) : undefined;
  if (secret === undefined) throw failure("SecretIdNotFound", "The SecretId does not exist or is disabled.");
  return secret;
}

/** The signed headers as received; each must be there, once, and the two that every signature covers among them. */
function signedValues(request: RequestToVerify, { signedHeaders }: Authorization): [name: string, value: string][] {
  for (const name of REQUIRED_SIGNED_HEADERS) {
    if (!signedHeaders.includes(name))
      throw failure("SignatureFailure", `The signature must cover the header ${name}.`);
  }
  return signedHeaders.map((name) => {
    const value = headerOf(request, name);
    if (value === undefined || !isSignableValue(value)) {
      throw failure("SignatureFailure", "A header that the signature covers is missing, repeated or not printable.");
    }
    return [name, value.trim()];
  });
}

/**
 * The forms in which clients sign the same headers: values as sent or in lower case, and the host with its port or without. Every
 * form is covered by the key, so that taking either gives nothing away.
 */
function headerForms(values: readonly [name: string, value: string][]): [name: string, value: string][][] {
  const withoutPort = values.map(([name, value]): [string, string] => [
    name,
    name === "host" ? value.replace(PORT, "") : value,
  ]);
  const forms: [string, string][][] = [];
  const seen = new Set<string>();
  for (const form of [values, withoutPort]) {
    for (const candidate of [form, form.map(([name, value]): [string, string] => [name, value.toLowerCase()])]) {
      const text = candidate.map(([, value]) => value).join("\n");
      if (!seen.has(text)) forms.push([...candidate]);
      seen.add(text);
    }
  }
  return forms;
}

/** Whether the body was signed; refused where it must be. */
function readPayloadForm(request: RequestToVerify, allowUnsignedPayload: boolean): boolean {
  if (headerOf(request, "x-tc-content-sha256") !== UNSIGNED_PAYLOAD) return true;
  if (!allowUnsignedPayload)
    throw failure("SignatureFailure", "A request that leaves its body unsigned is not accepted.");
  return false;
}

/** A signing key, and what it was derived of. */
interface DerivedKey {
  readonly secretKey: string;
  readonly scope: string;
  readonly signingKey: Uint8Array;
}

/** The last key with which a request of each secret was verified: it stays the same for a day. As secret as the secret itself. */
const lastKeys = new WeakMap<SecretRecord, DerivedKey>();

function derivedKeyOf(secret: SecretRecord, { date, service }: Authorization): DerivedKey {
  const scope = credentialScope(date, service);
  const last = lastKeys.get(secret);
  if (last !== undefined && last.scope === scope && last.secretKey === secret.secretKey) return last;
  return { secretKey: secret.secretKey, scope, signingKey: deriveSigningKey(secret.secretKey, date, service) };
}

function isSigned(
  request: RequestToVerify,
  authorization: Authorization,
  secret: SecretRecord,
  timestamp: string,
  isPayloadSigned: boolean,
): boolean {
  const { method, path, query, payload } = request;
  if (!ENCODED.test(path) || !ENCODED.test(query)) {
    throw failure("SignatureFailure", "The path and the query must be percent-encoded.");
  }
  const values = signedValues(request, authorization);
  const expected = hexToBytes(authorization.signature);
  const payloadHash = hashPayload(isPayloadSigned ? payload : UNSIGNED_PAYLOAD);
  const key = derivedKeyOf(secret, authorization);
  const isRight = headerForms(values).some((headers) => {
    const canonical = canonicalRequest({ method, path, query, headers, payloadHash });
    return equalBytes(signatureOf(key.signingKey, stringToSign(timestamp, key.scope, canonical)), expected);
  });
  // Only what was verified is kept: others name any date and service they like.
  if (isRight) lastKeys.set(secret, key);
  else if (lastKeys.get(secret) !== key) wipe(key.signingKey);
  return isRight;
}

/** The session token is not signed: it must be the one that belongs to the SecretId. */
function checkToken(request: RequestToVerify, secret: SecretRecord, nowSeconds: number): void {
  const given = headerOf(request, "x-tc-token") ?? "";
  const { token = "", tokenExpiresAtSeconds = Number.POSITIVE_INFINITY } = secret;
  const isGiven =
    given.length <= MAX_TOKEN_CHARACTERS &&
    isSignableValue(given) &&
    equalBytes(utf8ToBytes(given), utf8ToBytes(token)) &&
    (token === "" || nowSeconds < tokenExpiresAtSeconds);
  if (!isGiven) throw failure("TokenFailure", "The session token is missing, expired, or not that of the SecretId.");
}

/** What bears on a request and may stand outside its signature; in the case in which it came, which the signature leaves open. */
const UNBOUND_HEADERS = [
  "host",
  "content-type",
  "x-tc-action",
  "x-tc-version",
  "x-tc-region",
  "x-tc-token",
  "x-tc-language",
  "x-tc-content-sha256",
];

/** A digest of what the signature may not bind, the body included where it is unsigned. */
function unsignedDigest(request: RequestToVerify, isPayloadSigned: boolean): string {
  const headers = UNBOUND_HEADERS.map((name) => headerOf(request, name) ?? null);
  const payload = isPayloadSigned ? "" : hashPayload(request.payload);
  return hashPayload(utf8ToBytes(JSON.stringify([headers, payload])));
}

function checkReplay(replay: ReplayWindow, use: SignedUse, nowSeconds: number): void {
  switch (replay.remember(use, nowSeconds)) {
    case "fresh":
      return;
    case "replayed":
      throw failure("SignatureFailure", "This signed request was used before. Sign it anew.");
    case "full":
      throw new ApiError("RequestLimitExceeded", "Too many requests to remember. Send it later, signed anew.");
  }
}

/**
 * Verifies a request's signature, in the service's order: older signatures, missing headers, the form of `Authorization`, the
 * SecretId, the clock, the signature, the token; last the replay window, if there is one. The signature is compared in constant
 * time. The path and the query are taken as received, the host with its port and without, header values as received and in lower
 * case.
 *
 * A signed request stays good for the whole time window, as it does at the service, unless `replay` is given.
 * @param request - as received
 * @param lookUpSecret - gives what is known of a SecretId, or undefined if it is unknown or disabled
 * @param options - the time, and how strict to be
 * @returns who signed it, and what was signed
 * @throws ApiError `MissingParameter`, `InvalidParameter` (the timestamp), `UnsupportedProtocol` (the method),
 * `AuthFailure.InvalidAuthorization`, `.InvalidSecretId`, `.SecretIdNotFound`, `.SignatureExpire`, `.SignatureFailure`,
 * `.TokenFailure`, `RequestLimitExceeded` (the replay window, or the share of it, is full); RangeError `ERR_ARGUMENT` for a replay window that is
 * shorter than the time window
 */
export function verifySignature<Secret extends SecretRecord>(
  request: RequestToVerify,
  lookUpSecret: (secretId: string) => Secret | undefined,
  options: VerifyOptions,
): VerifiedRequest<Secret> {
  const { nowSeconds, windowSeconds = 300, service = "kms", allowUnsignedPayload = false, replay } = options;
  if (replay !== undefined && replay.windowSeconds < windowSeconds) {
    throw Object.assign(new RangeError(`"replay" expected a window of at least ${windowSeconds} seconds`), {
      code: "ERR_ARGUMENT",
    });
  }
  if (!METHOD.test(request.method)) throw new ApiError("UnsupportedProtocol", "The method must be GET or POST.");
  refuseLegacySignature(request);
  const timestamp = readTimestamp(request);
  const timestampSeconds = Number(timestamp);
  const authorization = parseAuthorization(headerOf(request, "authorization"));
  if (authorization.date !== utcDate(timestampSeconds)) {
    throw failure("InvalidAuthorization", "The date of the credential must be the UTC date of `Timestamp`.");
  }
  const secret = findSecret(authorization.secretId, lookUpSecret);
  if (!(Math.abs(nowSeconds - timestampSeconds) <= windowSeconds)) {
    throw failure("SignatureExpire", `\`Timestamp\` is more than ${windowSeconds} seconds from the server's time.`);
  }
  if (service !== "*" && authorization.service !== service) {
    throw failure("SignatureFailure", `The credential must be for the service ${service}.`);
  }
  const isPayloadSigned = readPayloadForm(request, allowUnsignedPayload);
  if (!isSigned(request, authorization, secret, timestamp, isPayloadSigned)) {
    throw failure("SignatureFailure", "The signature does not match. Check the secret and what was signed.");
  }
  checkToken(request, secret, nowSeconds);
  if (replay !== undefined) {
    const { signature, secretId } = authorization;
    const { holder = secretId } = secret;
    const unsigned = unsignedDigest(request, isPayloadSigned);
    checkReplay(replay, { signature, timestampSeconds, holder, unsigned }, nowSeconds);
  }
  return {
    secretId: authorization.secretId,
    secret,
    service: authorization.service,
    timestampSeconds,
    signedHeaders: authorization.signedHeaders,
    isPayloadSigned,
  };
}
