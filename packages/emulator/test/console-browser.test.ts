// The console in Chromium: what its page shows, that it is used by keyboard, and that it keeps to its own address. Where there is no
// Chromium these tests are skipped; `npm run test:browser` gets one first.
import { Envelope, rawAesKey } from "@fengni/core";
import type { Browser, BrowserContext, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Emulator } from "../src/assemble.js";
import { startEmulator } from "../src/emulator.js";
import { type Envelope as Answer, CREDENTIALS, call, envelopeOf, OWNER_UIN } from "./server-support.js";

/** How the suites of the workspace find and start Chromium. */
interface Chromium {
  readonly installedChromium: () => string | undefined;
  readonly startChromium: (path: string, timeoutMs: number) => Promise<Browser>;
}

const TIMEOUT_MS = 15_000;
const APP = { secretId: "AKIDapplication", secretKey: "a-secret-of-the-application" };
const chromium = (await import(new URL("../../../test/browser/chromium.mjs", import.meta.url).href)) as Chromium;
const path = chromium.installedChromium();

describe.skipIf(path === undefined)("the console in Chromium", () => {
  let emulator: Emulator;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let message: Buffer;
  /** What the page should not do. */
  const complaints: string[] = [];

  beforeAll(async () => {
    emulator = await startEmulator({
      credentials: {
        ownerUin: OWNER_UIN,
        users: [
          ...(CREDENTIALS as { users: object[] }).users,
          { uin: "100000000002", name: "app", policies: ["lists-keys"], keys: [APP] },
        ],
      },
      policies: {
        "lists-keys": {
          version: "2.0",
          statement: [{ effect: "allow", action: ["kms:ListKeys"], resource: ["*"] }],
        },
      },
    });
    const key = rawAesKey({ namespace: "tests", name: "key", key: new Uint8Array(32).fill(7) });
    const envelope = new Envelope({ wrappingKeys: [key] });
    message = Buffer.from(await envelope.encrypt(new Uint8Array(100), { encryptionContext: { tenant: "<b>7</b>" } }));
    browser = await chromium.startChromium(path ?? "", 60_000);
    context = await browser.newContext({ viewport: { width: 1200, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(TIMEOUT_MS);
    page.on("pageerror", (error) => complaints.push(`error in the page: ${error.message}`));
    page.on("console", (text) => {
      // A browser says of itself that an answer was an error, which the page shows.
      if (text.type() === "error" && !/status of 40[04]/.test(text.text())) complaints.push(text.text());
    });
    page.on("request", (request) => {
      const url = request.url();
      if (!url.startsWith(`${emulator.endpoint}/_fengni/console`) && url !== "data:,")
        complaints.push(`asked for ${url}`);
    });
  });

  afterAll(async () => {
    await browser?.close();
    await emulator?.close();
  });

  const ask = async (action: string, parameters: object = {}, as: object = {}): Promise<Answer> =>
    envelopeOf(await call(emulator, action, parameters, as));

  /** Waits until an element shows a text. */
  const shows = (selector: string, text: string): Promise<void> =>
    page.locator(selector, { hasText: text }).first().waitFor({ state: "visible" });

  const textsOf = (locator: Locator): Promise<string[]> => locator.allTextContents();

  test("shows keys with their states, and those of other regions", async () => {
    const { KeyId } = await ask("CreateKey", { Alias: "orders" });
    await ask("CreateKey", { Alias: "invoices" });
    await ask("DisableKey", { KeyId });
    await page.goto(emulator.consoleUrl ?? "");
    await shows("#keys-rows tr", "invoices");
    const cells = await textsOf(page.locator("#keys-rows tr", { hasText: "orders" }).locator("td"));
    expect(cells.slice(0, 4)).toEqual([KeyId, "orders", "disabled", "AES_256"]);
    expect(await page.locator("#keys-status").textContent()).toBe("1 to 2 of 2");
    await page.selectOption("#region", "ap-shanghai");
    await shows("#keys-status", "none of 0");
    await page.selectOption("#region", "ap-guangzhou");
    await shows("#keys-rows tr", "orders");
  });

  test("adds each request to the log as it is answered, and says so", async () => {
    await shows("#log-status", "live");
    await shows("#log-rows tr", "CreateKey");
    await ask("GetServiceStatus");
    await shows("#log-rows tr:first-child", "GetServiceStatus");
    expect(await page.locator("#log-news").textContent()).toContain("GetServiceStatus");
    expect(await page.locator("#log-news").getAttribute("aria-live")).toBe("polite");
  });

  test("shows what a client sent as text", async () => {
    await ask("CreateKey", { Alias: "x" }, { headers: { "X-TC-Region": "<img src=x onerror=document.title='y'>" } });
    const { KeyId } = await ask("CreateKey", { Alias: "tagged" });
    await ask("DescribeKey", { KeyId: `${KeyId}<img src=x>` });
    await shows("#log-rows tr:first-child", "DescribeKey");
    expect(await page.locator("main img").count()).toBe(0);
    expect(await page.title()).toBe("Fengni emulator");
  });

  test("filters the log", async () => {
    await page.fill("#log-filter", "getservicestatus");
    expect(await page.locator("#log-rows tr:visible").count()).toBe(1);
    await page.fill("#log-filter", "");
    await page.check("#log-refused");
    expect(await page.locator("#log-rows tr:visible td.good:nth-child(3)").count()).toBe(0);
    expect(await page.locator("#log-rows tr:visible").count()).toBeGreaterThan(0);
    await page.uncheck("#log-refused");
  });

  test("pauses the log, and goes on", async () => {
    await page.click("#log-pause");
    expect(await page.locator("#log-pause").getAttribute("aria-pressed")).toBe("true");
    await ask("ListAlgorithms");
    await shows("#log-status", "1 waiting");
    await page.click("#log-pause");
    await shows("#log-rows tr:first-child", "ListAlgorithms");
  });

  test("explains a refusal out of the log, by keyboard", async () => {
    const refused = await ask("CreateKey", { Alias: "not-mine" }, APP);
    expect(refused.Error?.Code).toBe("UnauthorizedOperation");
    const button = page.getByRole("button", { name: `Why was request ${refused.RequestId} denied?` });
    await button.focus();
    await page.keyboard.press("Enter");
    await shows("#denied-result pre", "no statement allows it");
    await shows("#denied-result dd", "policies[0] is lists-keys");
    expect(await page.inputValue("#denied-id")).toBe(refused.RequestId);
    await page.fill("#denied-id", "no-such-request");
    await page.press("#denied-id", "Enter");
    await shows("#denied-result .bad", "not lately");
  });

  test("inspects a message that is pasted, chosen or dropped", async () => {
    const inspector = page.getByRole("button", { name: "Inspect" });
    await page.fill("#inspect-text", message.toString("base64"));
    await inspector.click();
    await shows("#inspect-result dd", "0x0478");
    await shows("#inspect-result dd", "<b>7</b>");
    expect(await page.locator("#inspect-result b").count()).toBe(0);
    await page.fill("#inspect-text", "no message");
    await inspector.click();
    await shows("#inspect-result .bad", "base64");
    await page.setInputFiles("#inspect-file", { name: "m.bin", mimeType: "application/octet-stream", buffer: message });
    await shows("#inspect-result dd", "0x0478");
    await page.evaluate(
      (bytes) => {
        document.getElementById("inspect-result")?.replaceChildren();
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File([Uint8Array.from(bytes)], "m.bin"));
        const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
        document.getElementById("inspect-form")?.dispatchEvent(event);
      },
      [...message],
    );
    await shows("#inspect-result dd", "0x0478");
  });

  test("names its landmarks, fields and links", async () => {
    for (const role of ["banner", "navigation", "main"] as const)
      expect(await page.getByRole(role).count(), role).toBe(1);
    const nameless = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLInputElement>("input, select, textarea, button")]
        .filter(
          ({ labels, textContent, ariaLabel }) => labels?.length === 0 && textContent === "" && ariaLabel === null,
        )
        .map(({ id }) => id),
    );
    expect(nameless).toEqual([]);
    const links = await page.evaluate(() =>
      [...document.querySelectorAll<HTMLAnchorElement>("nav a")].map(
        ({ hash }) => document.querySelector(hash)?.tagName,
      ),
    );
    expect(links).toEqual(["SECTION", "SECTION", "SECTION", "SECTION"]);
  });

  test("is reached by the tab key, the skip link first", async () => {
    await page.goto(emulator.consoleUrl ?? "");
    await shows("#keys-rows tr", "orders");
    const reached: string[] = [];
    for (let i = 0; i < 18; i++) {
      await page.keyboard.press("Tab");
      reached.push(
        await page.evaluate(() => document.activeElement?.id || (document.activeElement?.textContent ?? "")),
      );
    }
    expect(reached[0]).toBe("Skip to content");
    expect(reached).toEqual(expect.arrayContaining(["region", "log-filter", "log-pause"]));
  });

  test.each(["light", "dark"] as const)("has contrast where %s is preferred", async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    const [text = 0, ground = 0] = await page.evaluate(() => {
      const { color, backgroundColor } = getComputedStyle(document.body);
      // Relative luminance, as WCAG 2.2 defines it.
      return [color, backgroundColor].map((value) =>
        (value.match(/\d+/g) ?? [])
          .slice(0, 3)
          .map((channel) => Number(channel) / 255)
          .map((channel) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4))
          .reduce((sum, channel, index) => sum + channel * ([0.2126, 0.7152, 0.0722][index] ?? 0), 0),
      );
    });
    expect((Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05)).toBeGreaterThan(7);
  });

  test("is neither read nor framed by another site", async () => {
    const other = await context.newPage();
    await other.route("http://localhost:1/**", (route) =>
      route.fulfill({ contentType: "text/html", body: "<p>other" }),
    );
    await other.goto("http://localhost:1/");
    const url = emulator.consoleUrl ?? "";
    const outcomes = await other.evaluate(async (address) => {
      const read = await fetch(`${address}/keys`).then(
        ({ status }) => `read ${status}`,
        () => "refused",
      );
      const frame = document.createElement("iframe");
      frame.src = address;
      const loaded = new Promise((resolve) => frame.addEventListener("load", resolve));
      document.body.append(frame);
      await loaded;
      return [read, frame.contentDocument === null ? "closed" : "open"];
    }, url);
    expect(outcomes).toEqual(["refused", "closed"]);
    expect(other.frames().map((frame) => frame.url())).not.toContain(url);
    await other.close();
  });

  test("did nothing else, and complained of nothing", () => {
    expect(complaints).toEqual([]);
  });
});
