// An explanation for people and for programs, in the command's own terms. Must not know where the message was read from.
import type { ExplainReason, MessageExplanation } from "@fengni/core";
import { headerJson, headerText } from "./header-text.js";
import { escapeText } from "./text.js";

const VERDICTS: Readonly<Record<MessageExplanation["verdict"], string>> = {
  "can-open": "These keys and options would open the message.",
  "cannot-open": "These keys and options would not open the message.",
  "cannot-tell": "It cannot be told whether these keys and options would open the message.",
};

/** The libraries speak of options of the SDK. */
const OPTION_NAMES: readonly (readonly [RegExp, string])[] = [
  [
    /set commitmentPolicy to "require-encrypt-allow-decrypt" to read it/,
    "add --allow-uncommitted if you trust its origin",
  ],
  [/\bmaxEncryptedDataKeys\b/, "--max-encrypted-data-keys"],
  [/\bmaxFrameLength\b/, "--max-frame-length"],
];

function reasonText({ text }: ExplainReason): string {
  return escapeText(OPTION_NAMES.reduce((said, [name, option]) => said.replace(name, option), text));
}

/** The verdict, its reasons, then the header. */
export function explanationText(explanation: MessageExplanation): string {
  const reasons = explanation.reasons.map((reason) => `  ${reasonText(reason)} (${reason.code})`);
  const states = explanation.encryptedDataKeys.flatMap(({ description, state }) =>
    state === "not-asked" || state === "unknown" ? [] : [`  ${escapeText(description)} is ${state}`],
  );
  return `${[VERDICTS[explanation.verdict], ...reasons, ...states].join("\n")}\n\n${headerText(explanation.header)}`;
}

/** The explanation as a value for JSON. */
export function explanationJson(explanation: MessageExplanation): object {
  return {
    verdict: explanation.verdict,
    accepted: explanation.isAccepted,
    reasons: explanation.reasons.map((reason) => ({ code: reason.code, text: reasonText(reason) })),
    encryptedDataKeys: explanation.encryptedDataKeys.map(({ providerId, description, keys, state, refusal }) => ({
      providerId,
      description,
      keys: keys.map(({ name, match }) => ({ name, match })),
      state,
      ...(refusal !== undefined && { refusal }),
    })),
    header: headerJson(explanation.header),
  };
}
