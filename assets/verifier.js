// Verifies an export in this browser: the work is done by a worker, and nothing of the file is sent anywhere.
import { createElement as h, useEffect, useRef, useState } from "react";

const number = (value) => value.toLocaleString("en-US");

const result = ({ ok, sentence, verdicts, notProven }) =>
  h(
    "div",
    { className: "wr-stack" },
    h(
      "p",
      null,
      h("span", { className: `wr-badge wr-is-${ok ? "proven" : "broken"}` }, h("span", null, ok ? "✓ Proven" : "✕ Broken")),
      " ",
      h("strong", null, sentence),
    ),
    verdicts.length ? h("ul", { className: "wr-bullets" }, verdicts.map((each) => h("li", { key: each }, each))) : null,
    h("p", { className: "wr-quiet" }, "Not proven by this:"),
    h("ul", { className: "wr-bullets" }, notProven.map((each) => h("li", { key: each }, each))),
  );

export const LocalVerifier = () => {
  const worker = useRef(null);
  const [state, setState] = useState({ kind: "idle" });
  const stop = () => {
    worker.current?.terminate();
    worker.current = null;
  };
  useEffect(() => stop, []);
  const begin = async (event) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const file = form.get("export");
    stop();
    if (!file || !file.size) return;
    setState({ kind: "running", done: 0, rate: 0 });
    worker.current = new Worker("/verify-worker.js", { type: "module" });
    worker.current.onmessage = ({ data }) => {
      setState(data);
      if (data.kind !== "running") stop();
    };
    worker.current.onerror = () => setState({ kind: "done", ok: false, sentence: "This browser cannot run the check.", verdicts: [], notProven: ["Anything: use verify.py instead."] });
    worker.current.postMessage({ file, known: String(form.get("kept") || ""), key: String(form.get("key") || "") });
  };
  const cancel = () => {
    stop();
    setState({ kind: "idle" });
  };
  return h(
    "div",
    { className: "wr-stack" },
    h(
      "form",
      { onSubmit: begin, className: "wr-stack", "aria-label": "Verify a file in this browser" },
      h("label", { className: "wr-filter" }, h("span", null, "The export, a zip"), h("input", { type: "file", name: "export", accept: ".zip", required: true })),
      h(
        "details",
        null,
        h("summary", null, "Against a checkpoint and a key of your own"),
        h("label", { className: "wr-filter" }, h("span", null, "A checkpoint that you kept"), h("textarea", { name: "kept", rows: 6, className: "wr-code", spellCheck: false })),
        h("label", { className: "wr-filter" }, h("span", null, "A key that you trust, as name+id+base64"), h("input", { name: "key", autoComplete: "off", spellCheck: false })),
      ),
      h(
        "div",
        { className: "wr-tools" },
        state.kind === "running"
          ? h("button", { type: "button", className: "wr-button wr-button-plain", onClick: cancel }, "Stop")
          : h("button", { type: "submit", className: "wr-button wr-button-plain" }, "Verify the file here"),
      ),
    ),
    h(
      "div",
      { role: "status" },
      state.kind === "running" ? h("p", null, `${number(state.done)} entries, ${number(state.rate)} a second`) : null,
      state.kind === "done" ? result(state) : null,
    ),
  );
};
