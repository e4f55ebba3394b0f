// The console's script, for the browser. What it shows comes from outside: every text goes in as text, never as markup. It must not
// know anything that the console's own addresses do not tell it.

/** JavaScript without modules, so that it is one small file. */
export const CONSOLE_SCRIPT: string = `"use strict";
(() => {
  const MAX_ROWS = 500;
  const MAX_FILE_BYTES = 1024 * 1024;
  const byId = (id) => document.getElementById(id);
  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className !== undefined) made.className = className;
    return made;
  };
  const fetchJson = async (path, options) => {
    const response = await fetch("/_fengni/console/" + path, { cache: "no-store", ...options });
    const value = await response.json();
    if (!response.ok) throw new Error(value.error ?? "the emulator answered " + response.status);
    return value;
  };
  const row = (cells) => {
    const made = element("tr");
    for (const [text, className] of cells) made.append(element("td", text, className));
    return made;
  };
  const describe = (pairs) => {
    const list = element("dl");
    for (const [term, text] of pairs) list.append(element("dt", term), element("dd", text));
    return list;
  };
  const failure = (error) => element("p", error.message, "bad");

  // Keys
  let offset = 0;
  const region = byId("region");
  const showKeys = async () => {
    try {
      const query = new URLSearchParams({ offset: String(offset) });
      if (region.value !== "") query.set("region", region.value);
      const page = await fetchJson("keys?" + query);
      if (region.options.length === 0) {
        for (const name of page.regions) region.append(new Option(name, name));
        region.value = page.region;
      }
      const rows = page.keys.map((key) => row([
        [key.keyId, "id"],
        [key.alias],
        [key.state, key.state === "enabled" ? "good" : "bad"],
        [key.keySpec],
        [key.keyUsage],
        [key.origin],
        [key.owner === "user" ? key.creator : key.owner],
        [new Date(key.createdAtMs).toISOString()],
      ]));
      byId("keys-rows").replaceChildren(...rows);
      const shown = page.keys.length === 0 ? "none" : (offset + 1) + " to " + (offset + page.keys.length);
      byId("keys-status").textContent = shown + " of " + page.total;
      byId("keys-previous").disabled = offset === 0;
      byId("keys-next").disabled = offset + page.keys.length >= page.total;
    } catch (error) {
      byId("keys-status").textContent = error.message;
    }
  };
  const turn = (by) => {
    offset = Math.max(0, offset + by);
    void showKeys();
  };
  byId("keys-form").addEventListener("submit", (event) => {
    event.preventDefault();
    void showKeys();
  });
  region.addEventListener("change", () => turn(-offset));
  byId("keys-previous").addEventListener("click", () => turn(-200));
  byId("keys-next").addEventListener("click", () => turn(200));

  // Audit log
  const rows = byId("log-rows");
  const filter = byId("log-filter");
  const refused = byId("log-refused");
  const pause = byId("log-pause");
  const seen = new Set();
  let waiting = [];
  let isScheduled = false;
  const isWanted = (shown) => {
    const { text, isRefused } = shown.entryFacts;
    return (!refused.checked || isRefused) && text.includes(filter.value.trim().toLowerCase());
  };
  const logRow = (entry) => {
    const result = (entry.code === "" ? "ok" : entry.code) + (entry.fault === undefined ? "" : " (fault: " + entry.fault + ")");
    const made = row([
      [entry.time.replace("T", " ").replace("Z", "")],
      [entry.action],
      [result, entry.code === "" ? "good" : "bad"],
      [entry.uin],
      [entry.resources.join(" "), "wrap"],
      [entry.region],
      [entry.ip],
      [entry.durationMs.toFixed(1)],
      [undefined, "id"],
    ]);
    if (entry.decision.endsWith("deny")) {
      const button = element("button", entry.requestId);
      button.type = "button";
      button.setAttribute("aria-label", "Why was request " + entry.requestId + " denied?");
      button.addEventListener("click", () => {
        byId("denied-id").value = entry.requestId;
        byId("denied-form").requestSubmit();
        byId("denied").scrollIntoView();
        byId("denied-id").focus();
      });
      made.lastChild.append(button);
    } else {
      made.lastChild.textContent = entry.requestId;
    }
    made.entryFacts = { text: made.textContent.toLowerCase(), isRefused: entry.code !== "" };
    made.hidden = !isWanted(made);
    return made;
  };
  const showWaiting = () => {
    isScheduled = false;
    if (pause.getAttribute("aria-pressed") === "true") {
      byId("log-status").textContent = waiting.length + " waiting";
      return;
    }
    const news = waiting;
    waiting = [];
    if (news.length === 0) return;
    rows.prepend(...news.reverse().map(logRow));
    while (rows.childElementCount > MAX_ROWS) rows.lastElementChild.remove();
    const last = news[0];
    byId("log-news").textContent = news.length + " new, the last: " + last.action + " " + (last.code === "" ? "ok" : last.code);
    for (const { decision } of news) if (decision.endsWith("deny")) void showKnownDenials();
  };
  const schedule = () => {
    if (isScheduled) return;
    isScheduled = true;
    setTimeout(showWaiting, 100);
  };
  const filterRows = () => {
    for (const shown of rows.children) shown.hidden = !isWanted(shown);
  };
  filter.addEventListener("input", filterRows);
  refused.addEventListener("change", filterRows);
  pause.addEventListener("click", () => {
    const isPaused = pause.getAttribute("aria-pressed") === "true";
    pause.setAttribute("aria-pressed", String(!isPaused));
    byId("log-status").textContent = isPaused ? "live" : "paused";
    schedule();
  });
  const events = new EventSource("/_fengni/console/events");
  events.addEventListener("open", () => {
    byId("log-status").textContent = "live";
  });
  events.addEventListener("error", () => {
    byId("log-status").textContent = "not connected; trying again";
  });
  events.addEventListener("message", ({ data }) => {
    const entry = JSON.parse(data);
    // A connection that was made again begins with entries that are here already.
    if (seen.has(entry.requestId)) return;
    seen.add(entry.requestId);
    if (seen.size > 4 * MAX_ROWS) seen.delete(seen.values().next().value);
    waiting.push(entry);
    if (waiting.length > MAX_ROWS) waiting.shift();
    schedule();
  });

  // Why was this denied?
  const showKnownDenials = async () => {
    try {
      const { denials } = await fetchJson("denials");
      const options = denials.map(({ requestId, action, accountName }) => new Option(action + " by " + accountName, requestId));
      byId("denied-known").replaceChildren(...options);
    } catch {
      // The list only helps to type.
    }
  };
  byId("denied-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const result = byId("denied-result");
    try {
      const query = new URLSearchParams({ requestId: byId("denied-id").value });
      const denial = await fetchJson("denials?" + query);
      const names = denial.policyNames.map((name, index) => "policies[" + index + "] is " + name).join(", ");
      result.replaceChildren(
        describe([
          ["Action", denial.action],
          ["Account", denial.accountName + " (" + denial.uin + ")"],
          ["Time", denial.time],
          ["Policies", names === "" ? "none" : names],
        ]),
        ...denial.explanations.map(({ text }) => element("pre", text)),
      );
    } catch (error) {
      result.replaceChildren(failure(error));
    }
  });

  // Message inspector
  const showMessage = async (body, type) => {
    const result = byId("inspect-result");
    try {
      const header = await fetchJson("inspect", { method: "POST", body, headers: { "Content-Type": type } });
      const keys = header.encryptedDataKeys.map((key, index) => [
        "Data key " + (index + 1),
        key.providerId + ": " + (key.providerInfoText ?? key.providerInfo) + " (" + key.encryptedDataKeyLength + " bytes)",
      ]);
      const context = Object.entries(header.encryptionContext).map(([key, value]) => ["Context " + key, value]);
      result.replaceChildren(
        element("p", "Nothing of this is authenticated before the message is decrypted."),
        describe([
          ["Version", String(header.version)],
          ["Suite", header.suite.id + " " + header.suite.name],
          ["Commits to its key", header.suite.committing ? "yes" : "no"],
          ["Signed", header.suite.signed ? "yes" : "no"],
          ["Message id", header.messageId],
          ...context,
          ...keys,
          ["Content", header.contentType + ", " + header.frameLength + " bytes a frame"],
          ["Header length", header.headerLength + " bytes"],
        ]),
      );
    } catch (error) {
      result.replaceChildren(failure(error));
    }
  };
  const form = byId("inspect-form");
  const showFile = (file) => {
    // A header is no longer than that.
    if (file !== undefined) void showMessage(file.slice(0, MAX_FILE_BYTES), "application/octet-stream");
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void showMessage(byId("inspect-text").value, "text/plain");
  });
  byId("inspect-file").addEventListener("change", ({ target }) => showFile(target.files[0]));
  form.addEventListener("dragover", (event) => {
    event.preventDefault();
    form.classList.add("drop");
  });
  form.addEventListener("dragleave", () => form.classList.remove("drop"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("drop");
    showFile(event.dataTransfer.files[0]);
  });

  void showKeys();
  void showKnownDenials();
})();
`;
