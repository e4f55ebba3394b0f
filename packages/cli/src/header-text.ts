// A message header for people and for programs. Must not know where it was read from.
import type { MessageHeader } from "@fengni/core";
import { bytesToHex, bytesToUtf8 } from "@fengni/crypto/bytes";
import { formatCount, isPrintable, plural, quoteText } from "./text.js";

const NOTICE = "Nothing of this is authenticated before the message is decrypted.";
/** After the key name: tag length in bits, IV length in bytes (4 bytes each), then the IV. */
const RAW_AES_SUFFIX = "000000800000000c";
const RAW_AES_TAIL_BYTES = 20;
const COLUMN = 22;

/** What the provider info of an encrypted data key says, as far as it can be told. */
export interface ProviderInfo {
  /** The whole as text, when it is printable UTF-8. */
  readonly text: string | undefined;
  /** The key name of a raw AES key. */
  readonly rawAesKeyName: string | undefined;
  readonly hex: string;
}

/** Reads it. */
export function readProviderInfo(info: Uint8Array): ProviderInfo {
  const tail = info.length - RAW_AES_TAIL_BYTES;
  const isRawAes = tail >= 0 && bytesToHex(info.subarray(tail, tail + 8)) === RAW_AES_SUFFIX;
  return {
    text: printable(info),
    rawAesKeyName: isRawAes ? printable(info.subarray(0, tail)) : undefined,
    hex: bytesToHex(info),
  };
}

function printable(bytes: Uint8Array): string | undefined {
  try {
    const text = bytesToUtf8(bytes);
    return isPrintable(text) ? text : undefined;
  } catch {
    return undefined;
  }
}

/** The header in lines for people; text from the message is quoted and escaped. */
export function headerText(header: MessageHeader): string {
  const { suite, encryptedDataKeys, encryptionContext } = header;
  const pairs = Object.entries(encryptionContext);
  const lines = [
    NOTICE,
    row("version", String(header.version)),
    row("suite", `${suite.id} ${suite.name}`),
    row("commits to its key", suite.committing ? "yes" : "no"),
    row("signed", suite.signed ? "yes" : "no"),
    row("message id", bytesToHex(header.messageId)),
    row("encryption context", pairs.length === 0 ? "empty" : plural(pairs.length, "pair")),
    ...pairs.map(([key, value]) => `  ${quoteText(key)} = ${quoteText(value)}`),
    row("encrypted data keys", formatCount(encryptedDataKeys.length)),
  ];
  encryptedDataKeys.forEach(({ providerId, providerInfo, ciphertext }, index) => {
    const info = readProviderInfo(providerInfo);
    const label = String(index + 1).padStart(3);
    lines.push(row(`${label}. provider`, quoteText(providerId)), row("     key", keyText(info)));
    lines.push(row("     encrypted", plural(ciphertext.length, "byte")));
  });
  const frame = header.contentType === "framed" ? `framed, ${plural(header.frameLength, "byte")} a frame` : "one block";
  lines.push(row("content", frame), row("header length", plural(header.headerLength, "byte")));
  return `${lines.join("\n")}\n`;
}

function row(label: string, value: string): string {
  return `${label.padEnd(COLUMN)}${value}`;
}

function keyText(info: ProviderInfo): string {
  if (info.rawAesKeyName !== undefined) return `${quoteText(info.rawAesKeyName)} (raw AES)`;
  if (info.text !== undefined) return quoteText(info.text);
  return info.hex === "" ? "empty" : `hex ${info.hex}`;
}

/** The header as a value for JSON: bytes in hex, absent what cannot be told. */
export function headerJson(header: MessageHeader): object {
  return {
    authenticated: false,
    version: header.version,
    suite: header.suite,
    messageId: bytesToHex(header.messageId),
    encryptionContext: header.encryptionContext,
    encryptedDataKeys: header.encryptedDataKeys.map(({ providerId, providerInfo, ciphertext }) => {
      const info = readProviderInfo(providerInfo);
      return {
        providerId,
        providerInfo: info.hex,
        ...(info.text !== undefined && { providerInfoText: info.text }),
        ...(info.rawAesKeyName !== undefined && { rawAesKeyName: info.rawAesKeyName }),
        encryptedDataKeyLength: ciphertext.length,
      };
    }),
    contentType: header.contentType,
    frameLength: header.frameLength,
    headerLength: header.headerLength,
  };
}
