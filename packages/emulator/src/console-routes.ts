// The console: its page, and what the page asks for. Read only, and for browsers of this machine: a page of another site, or a name
// that was pointed at this address, is refused. It must not know how the page looks.

import type { KeyMetadata, LocalKms } from "@fengni/backend-local";
import { FengniError, inspect, isFengniError, type MessageHeader } from "@fengni/core";
import { base64ToBytes, bytesToHex, bytesToUtf8 } from "@fengni/crypto/bytes";
import type { AuditLog } from "./audit.js";
import { CONSOLE_PAGE } from "./console-page.js";
import { CONSOLE_SCRIPT } from "./console-script.js";
import { CONSOLE_STYLE } from "./console-style.js";
import type { Denials } from "./denials.js";
import {
  headerOf,
  jsonAnswer,
  LOCAL_PREFIX,
  type LocalAnswer,
  type LocalRequest,
  type LocalRoute,
  type LocalRoutes,
} from "./local-route.js";

/** What the console shows. */
export interface ConsoleOptions {
  readonly kms: LocalKms;
  readonly audit: AuditLog;
  readonly denials: Denials;
  readonly regions: readonly string[];
  /** Values of the header `Host` that are taken; asked for each time, since the port is known late. Undefined takes any. */
  readonly hosts: () => ReadonlySet<string> | undefined;
}

/** How many browsers may follow the log at once. */
export const MAX_LOG_FOLLOWERS = 16;
const PAGE = "console";
const KEYS_PER_PAGE = 200;
const ENTRIES_AT_START = 200;
const HEARTBEAT_MS = 15_000;
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const PAGE_HEADERS = {
  "Content-Security-Policy": POLICY,
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

/** `/_fengni/console` and what is below it. */
export function consoleRoutes(options: ConsoleOptions): LocalRoutes {
  const followers = { count: 0 };
  const pages: Readonly<Record<string, LocalRoute>> = {
    [PAGE]: textRoute("text/html; charset=utf-8", CONSOLE_PAGE),
    "console/script.js": textRoute("text/javascript; charset=utf-8", CONSOLE_SCRIPT),
    "console/style.css": textRoute("text/css; charset=utf-8", CONSOLE_STYLE),
    "console/keys": { methods: ["GET"], answer: (request) => answerKeys(options, request) },
    "console/events": { methods: ["GET"], answer: () => followLog(options.audit, followers) },
    "console/denials": { methods: ["GET"], answer: (request) => answerDenials(options.denials, request) },
    "console/inspect": { methods: ["POST"], answer: answerInspect },
  };
  return new Map(
    Object.entries(pages).map(([name, route]) => [
      `${LOCAL_PREFIX}${name}`,
      forThisMachine(options.hosts, route, name === PAGE),
    ]),
  );
}

function textRoute(contentType: string, body: string): LocalRoute {
  return { methods: ["GET"], answer: () => ({ status: 200, contentType, body, headers: PAGE_HEADERS }) };
}

/**
 * Refuses names other than this machine's, behind which another site may have moved here (DNS rebinding), and requests that a
 * browser makes for another site (Fetch Metadata: `Sec-Fetch-Site`; `Origin` where there is none). Of other sites, links to the
 * page itself may be followed: in a window of its own it tells them nothing.
 */
function forThisMachine(hosts: ConsoleOptions["hosts"], { methods, answer }: LocalRoute, isPage: boolean): LocalRoute {
  return {
    methods,
    answer: (request) => {
      const allowed = hosts();
      const host = headerOf(request, "host")?.toLowerCase() ?? "";
      if (allowed !== undefined && !allowed.has(host)) return refused("The console is at a loopback address only.");
      const site = headerOf(request, "sec-fetch-site") ?? "none";
      const origin = headerOf(request, "origin")?.toLowerCase();
      const isOwn = site === "none" || site === "same-origin" || (isPage && isNavigation(request));
      if (!isOwn || (origin !== undefined && !isOriginOf(origin, host))) {
        return refused("The console answers its own page only.");
      }
      return answer(request);
    },
  };
}

/** Whether a link is followed in a whole window or tab, not in a frame of another page. */
function isNavigation(request: LocalRequest): boolean {
  return headerOf(request, "sec-fetch-mode") === "navigate" && headerOf(request, "sec-fetch-dest") === "document";
}

function isOriginOf(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

function refused(error: string): LocalAnswer {
  return jsonAnswer(403, { error });
}

async function answerKeys({ kms, regions }: ConsoleOptions, { query }: LocalRequest): Promise<LocalAnswer> {
  const parameters = new URLSearchParams(query);
  const region = parameters.get("region") ?? regions[0] ?? "";
  const offset = Number(parameters.get("offset") ?? "0");
  if (!regions.includes(region)) return jsonAnswer(400, { error: "there is no such region" });
  if (!Number.isSafeInteger(offset) || offset < 0) return jsonAnswer(400, { error: "offset expected a number" });
  const page = await kms.listKeyDetail({ owner: "any", offset, limit: KEYS_PER_PAGE }, { region });
  return jsonAnswer(200, { regions, region, total: page.total, offset, keys: page.keys.map(keyRow) });
}

function keyRow(key: KeyMetadata): object {
  const { keyId, alias, state, keySpec, keyUsage, origin, owner, creator, createdAtMs } = key;
  return { keyId, alias: alias ?? "", state, keySpec, keyUsage, origin, owner, creator, createdAtMs };
}

/** The last entries, then each new one, as server-sent events (HTML standard, section 9.2). */
function followLog(audit: AuditLog, followers: { count: number }): LocalAnswer {
  if (followers.count >= MAX_LOG_FOLLOWERS) {
    return jsonAnswer(503, { error: `the log has at most ${MAX_LOG_FOLLOWERS} followers: close another page` });
  }
  followers.count += 1;
  return {
    status: 200,
    contentType: "text/event-stream",
    headers: PAGE_HEADERS,
    body: audit.recent(ENTRIES_AT_START).map(eventOf).join(""),
    stream: (stream) => {
      const unsubscribe = audit.subscribe((entry) => stream.write(eventOf(entry)));
      const timer = setInterval(() => stream.write(":\n\n"), HEARTBEAT_MS);
      stream.onClose(() => {
        followers.count -= 1;
        clearInterval(timer);
        unsubscribe();
      });
    },
  };
}

function eventOf(entry: object): string {
  // JSON has no line breaks, which would end an event.
  return `data: ${JSON.stringify(entry)}\n\n`;
}

function answerDenials(denials: Denials, { query }: LocalRequest): LocalAnswer {
  const requestId = new URLSearchParams(query).get("requestId");
  if (requestId === null) {
    const list = denials.recent().map(({ requestId: id, time, action, account }) => {
      return { requestId: id, time, action, uin: account.uin, accountName: account.name };
    });
    return jsonAnswer(200, { denials: list.reverse() });
  }
  const explanation = denials.explain(requestId.trim());
  if (explanation === undefined) {
    return jsonAnswer(404, { error: "no request with this id was refused by policies, or not lately" });
  }
  return jsonAnswer(200, explanation);
}

/** The header of a message: its bytes, or base64 as `text/plain`. Beyond the header no more than its beginning is needed. */
function answerInspect(request: LocalRequest): LocalAnswer {
  try {
    const type = headerOf(request, "content-type")?.split(";")[0];
    const message = type === "text/plain" ? bytesOfBase64(request.body) : request.body;
    return jsonAnswer(200, headerValue(inspect(message)));
  } catch (error) {
    if (!isFengniError(error)) throw error;
    return jsonAnswer(400, { code: error.code, error: error.message });
  }
}

function bytesOfBase64(body: Uint8Array): Uint8Array {
  try {
    return base64ToBytes(bytesToUtf8(body).replace(/\s/g, ""));
  } catch (cause) {
    throw new FengniError("ERR_MESSAGE_INVALID", "the text is not base64: paste the message as base64", { cause });
  }
}

function headerValue(header: MessageHeader): object {
  return {
    authenticated: false,
    version: header.version,
    suite: header.suite,
    messageId: bytesToHex(header.messageId),
    encryptionContext: header.encryptionContext,
    encryptedDataKeys: header.encryptedDataKeys.map(({ providerId, providerInfo, ciphertext }) => ({
      providerId,
      ...providerInfoValue(providerInfo),
      encryptedDataKeyLength: ciphertext.length,
    })),
    contentType: header.contentType,
    frameLength: header.frameLength,
    headerLength: header.headerLength,
  };
}

function providerInfoValue(info: Uint8Array): object {
  const providerInfo = bytesToHex(info);
  try {
    const text = bytesToUtf8(info);
    return /^\P{C}+$/u.test(text) ? { providerInfo, providerInfoText: text } : { providerInfo };
  } catch {
    return { providerInfo };
  }
}
