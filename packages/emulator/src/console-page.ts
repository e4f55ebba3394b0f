// The console's page: its structure. All that is shown is filled in by the script; nothing here comes from outside.

/** HTML. */
export const CONSOLE_PAGE: string = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Fengni emulator</title>
<link rel="stylesheet" href="/_fengni/console/style.css">
<link rel="icon" href="data:,">
<script src="/_fengni/console/script.js" defer></script>
</head>
<body>
<a class="skip" href="#content">Skip to content</a>
<header>
<h1>Fengni emulator</h1>
<nav aria-label="Sections">
<a href="#keys">Keys</a>
<a href="#log">Audit log</a>
<a href="#denied">Why was this denied?</a>
<a href="#inspect">Message inspector</a>
</nav>
</header>
<main id="content" tabindex="-1">
<noscript><p>This page needs JavaScript.</p></noscript>
<section id="keys" aria-labelledby="keys-title">
<h2 id="keys-title">Keys</h2>
<form id="keys-form" class="row">
<label for="region">Region</label>
<select id="region"></select>
<button type="submit">Refresh</button>
<button type="button" id="keys-previous" disabled>Previous</button>
<button type="button" id="keys-next" disabled>Next</button>
<span id="keys-status" role="status"></span>
</form>
<div class="scroll" tabindex="0" role="region" aria-labelledby="keys-title">
<table>
<caption class="hidden">Keys of the region, newest first</caption>
<thead><tr><th scope="col">Id</th><th scope="col">Alias</th><th scope="col">State</th><th scope="col">Spec</th><th scope="col">Usage</th><th scope="col">Origin</th><th scope="col">Creator</th><th scope="col">Created</th></tr></thead>
<tbody id="keys-rows"></tbody>
</table>
</div>
</section>
<section id="log" aria-labelledby="log-title">
<h2 id="log-title">Audit log</h2>
<div class="row">
<label for="log-filter">Filter</label>
<input id="log-filter" type="search" autocomplete="off" spellcheck="false" placeholder="action, code, account or request id">
<label><input id="log-refused" type="checkbox"> errors only</label>
<button type="button" id="log-pause" aria-pressed="false">Pause</button>
<span id="log-status" role="status"></span>
</div>
<p id="log-news" class="hidden" aria-live="polite"></p>
<div class="scroll" tabindex="0" role="region" aria-labelledby="log-title">
<table>
<caption class="hidden">Requests, newest first</caption>
<thead><tr><th scope="col">Time</th><th scope="col">Action</th><th scope="col">Result</th><th scope="col">Account</th><th scope="col">Resource</th><th scope="col">Region</th><th scope="col">Address</th><th scope="col">ms</th><th scope="col">Request id</th></tr></thead>
<tbody id="log-rows"></tbody>
</table>
</div>
</section>
<section id="denied" aria-labelledby="denied-title">
<h2 id="denied-title">Why was this denied?</h2>
<form id="denied-form" class="row">
<label for="denied-id">Request id</label>
<input id="denied-id" type="text" autocomplete="off" spellcheck="false" required list="denied-known">
<datalist id="denied-known"></datalist>
<button type="submit">Explain</button>
</form>
<div id="denied-result" role="status"></div>
</section>
<section id="inspect" aria-labelledby="inspect-title">
<h2 id="inspect-title">Message inspector</h2>
<p>Shows the header of an encrypted message. No key is needed, and nothing that is shown is authenticated.</p>
<form id="inspect-form">
<label for="inspect-text">Message as base64</label>
<textarea id="inspect-text" rows="4" spellcheck="false" autocomplete="off"></textarea>
<div class="row">
<button type="submit">Inspect</button>
<label for="inspect-file">or a file, which may be dropped here</label>
<input id="inspect-file" type="file">
</div>
</form>
<div id="inspect-result" role="status"></div>
</section>
</main>
</body>
</html>
`;
