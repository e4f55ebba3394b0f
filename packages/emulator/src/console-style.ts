// The console's looks, in light and dark. It must not know what is shown.

/** CSS. */
export const CONSOLE_STYLE: string = `:root {
  color-scheme: light dark;
  --text: #1b1f24;
  --muted: #57606a;
  --ground: #ffffff;
  --panel: #f4f6f8;
  --line: #d0d7de;
  --accent: #0b5cad;
  --bad: #a40e26;
  --good: #116329;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e6edf3;
    --muted: #9da7b3;
    --ground: #0d1117;
    --panel: #161b22;
    --line: #3d444d;
    --accent: #6cb6ff;
    --bad: #ff8182;
    --good: #6bc46d;
  }
}
* { box-sizing: border-box; }
body { margin: 0; color: var(--text); background: var(--ground); font: 15px/1.5 system-ui, sans-serif; }
header { display: flex; flex-wrap: wrap; gap: 0.5rem 2rem; align-items: baseline; padding: 0.75rem 1rem; background: var(--panel); border-bottom: 1px solid var(--line); }
h1 { font-size: 1.1rem; margin: 0; }
h2 { font-size: 1.05rem; margin: 0 0 0.5rem; }
nav { display: flex; flex-wrap: wrap; gap: 1rem; }
a { color: var(--accent); }
main { padding: 0 1rem 2rem; }
section { padding-top: 1.25rem; }
.row { display: flex; flex-wrap: wrap; gap: 0.5rem 0.75rem; align-items: center; margin: 0.25rem 0 0.5rem; }
input, select, textarea, button { font: inherit; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 4px; padding: 0.2rem 0.5rem; }
input[type="search"], input[type="text"] { width: min(24rem, 100%); }
textarea { display: block; width: 100%; margin: 0.25rem 0; font-family: ui-monospace, monospace; }
button { background: var(--panel); cursor: pointer; }
button:disabled { cursor: default; opacity: 0.6; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.scroll { max-height: 24rem; overflow: auto; border: 1px solid var(--line); border-radius: 4px; }
table { border-collapse: collapse; width: 100%; font-size: 0.87rem; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { position: sticky; top: 0; background: var(--panel); }
td.wrap { white-space: normal; overflow-wrap: anywhere; min-width: 12rem; }
code, pre, .id { font-family: ui-monospace, monospace; font-size: 0.85rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--panel); border: 1px solid var(--line); border-radius: 4px; padding: 0.6rem; margin: 0.5rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1rem; margin: 0.5rem 0; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
.bad { color: var(--bad); }
.good { color: var(--good); }
.drop { outline: 2px dashed var(--accent); outline-offset: 4px; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: -100vw; }
.skip:focus { left: 0.5rem; top: 0.5rem; background: var(--ground); padding: 0.25rem 0.5rem; }
`;
