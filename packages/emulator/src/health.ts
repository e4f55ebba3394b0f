// Says whether requests are carried out, for whoever starts an emulator and waits for it. It must not know any request.
import { ACTIONS, API_VERSION } from "@fengni/kms-api";
import { jsonAnswer, LOCAL_PREFIX, type LocalRoutes } from "./local-route.js";

/** What health is told from. */
export interface HealthOptions {
  readonly regions: readonly string[];
  readonly hasFailed: () => boolean;
  readonly isClosing: () => boolean;
}

/** `GET /_fengni/health`: 200 `ok`, or 503 `closing` or `failed` (the audit log cannot be written). */
export function healthRoutes({ regions, hasFailed, isClosing }: HealthOptions): LocalRoutes {
  return new Map([
    [
      `${LOCAL_PREFIX}health`,
      {
        methods: ["GET"],
        answer: () => {
          const status = hasFailed() ? "failed" : isClosing() ? "closing" : "ok";
          return jsonAnswer(status === "ok" ? 200 : 503, {
            status,
            version: API_VERSION,
            actions: ACTIONS.length,
            regions,
          });
        },
      },
    ],
  ]);
}
