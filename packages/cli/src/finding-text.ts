// What `policy check` finds, for people. Must not know how it was found.
import type { Finding } from "@fengni/kms-api";
import { escapeText, plural } from "./text.js";

/** A finding of the linter, or that there is no policy at all. */
export interface CheckFinding extends Omit<Finding, "code"> {
  readonly code: Finding["code"] | "malformed";
}

/** One file with what was found in it. */
export interface CheckedFile {
  /** As on the command line. */
  readonly file: string;
  readonly findings: readonly CheckFinding[];
}

/** Lines for one file: for each finding where and what, below it what to do. */
export function checkedFileText({ file, findings }: CheckedFile): string {
  const name = escapeText(file);
  if (findings.length === 0) return `${name}: nothing to report\n`;
  return findings
    .map(({ severity, code, path, message, advice }) => {
      const where = path === "" ? name : `${name}: ${escapeText(path)}`;
      return `${where}: ${severity} (${code}): ${escapeText(message)}\n  to do: ${escapeText(advice)}\n`;
    })
    .join("");
}

/** The last line: how many of each kind. */
export function checkedTotal(files: readonly CheckedFile[]): string {
  const count = (severity: Finding["severity"]): number =>
    files.flatMap(({ findings }) => findings).filter((finding) => finding.severity === severity).length;
  return `${plural(count("error"), "error")}, ${plural(count("warning"), "warning")} in ${plural(files.length, "file")}\n`;
}
