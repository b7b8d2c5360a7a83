// The form that imports files: sends them one after the other, by XMLHttpRequest, since only that tells how far the
// sending is. What is being sent belongs to the tab, not to the page: it goes on while other pages are looked at.
// Without this script the form is an ordinary one, which the browser sends to the same place.
import { createElement as h, useEffect, useRef, useState, useSyncExternalStore } from "react";

const SAMPLE_MS = 4000;

let sending = null; // { name, at, of, loaded, total, rate, samples, request }
let told = []; // what happened while no form was there to hear it
let tell = null;
const watchers = new Set();

const change = (next) => {
  sending = next;
  watchers.forEach((watcher) => watcher());
};
const say = (kind, ...what) => {
  if (tell) {
    tell(kind, what);
  } else {
    told.push([kind, what]);
  }
};
const hold = (event) => event.preventDefault();

const progressed = (loaded, total) => {
  const now = performance.now();
  const samples = [...sending.samples, [now, loaded]].filter(([at]) => now - at <= SAMPLE_MS);
  const [since, before] = samples[0];
  const rate = now - since > 400 ? ((loaded - before) * 1000) / (now - since) : sending.rate;
  change({ ...sending, loaded, total, samples, rate });
};

const NAMES = { file_name: "File name", timezone: "Time zone", gzip: "The file is gzip" };
const named = (field) => NAMES[field] || field.charAt(0).toUpperCase() + field.slice(1);

const answerOf = (request) => {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return {};
  }
};

const sendFile = (file, query, token, at, of) =>
  new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const address = new URLSearchParams(query);
    address.set("file_name", file.name);
    request.open("PUT", "/upload/imports?" + address);
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("X-CSRF-Token", token);
    request.upload.onprogress = (event) => progressed(event.loaded, event.total);
    request.onload = () => {
      const answer = answerOf(request);
      if (request.status === 200 && answer.import) {
        resolve({ id: answer.import.id });
      } else {
        const fields = Object.entries(answer.fields || {}).map(([name, why]) => ` ${named(name)}: ${why}.`);
        resolve({ why: (answer.detail || `The server answered ${request.status}.`) + fields.join("") });
      }
    };
    request.onerror = () => resolve({ cut: "lost" });
    request.onabort = () => resolve({ cut: "cancelled" });
    change({ name: file.name, at, of, loaded: 0, total: file.size, rate: 0, samples: [[performance.now(), 0]], request });
    request.send(file);
  });

const sendAll = async (files, query, token) => {
  window.addEventListener("beforeunload", hold);
  const imports = [];
  for (const [index, file] of files.entries()) {
    say("begun", file.name, index + 1);
    const { id, why, cut } = await sendFile(file, query, token, index + 1, files.length);
    if (id) {
      imports.push(id);
      say("sent", imports.join(","));
    } else if (why) {
      say("refused", `${file.name}: ${why}`);
    } else {
      say("cut", cut);
      break;
    }
  }
  window.removeEventListener("beforeunload", hold);
  change(null);
};

const UNITS = ["B", "KB", "MB", "GB"];
const bytes = (count) => {
  let value = count;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit && value < 100 ? value.toFixed(1) : Math.round(value)} ${UNITS[unit]}`;
};
const remaining = (left, rate) => {
  if (!(rate > 0)) return "";
  const seconds = Math.ceil(left / rate);
  return seconds < 90 ? `, about ${seconds} s left` : `, about ${Math.ceil(seconds / 60)} min left`;
};

const Progress = ({ now }) => {
  const percent = now.total ? Math.floor((now.loaded / now.total) * 100) : 100;
  const arrived = now.loaded >= now.total;
  const which = now.of > 1 ? ` (${now.at} of ${now.of})` : "";
  const said = arrived
    ? `${bytes(now.total)} sent, waiting for the answer`
    : `${bytes(now.loaded)} of ${bytes(now.total)}` +
      (now.rate ? `, ${bytes(now.rate)}/s` : "") + remaining(now.total - now.loaded, now.rate);
  return h(
    "div",
    { className: "wr-progress" },
    h("p", { className: "wr-progress-head" }, h("strong", null, `Sending ${now.name}${which}`), h("span", null, `${percent} %`)),
    h(
      "div",
      {
        role: "progressbar", "aria-label": `Sending ${now.name}`, "aria-valuemin": 0, "aria-valuemax": 100,
        "aria-valuenow": percent, "aria-valuetext": said, className: "wr-progress-track",
      },
      h("span", { className: "wr-progress-fill", style: { width: `${percent}%` } }),
    ),
    h("p", { className: "wr-quiet" }, said),
  );
};

export const Uploader = ({ onBegun, onSent, onRefused, onCut, fileInput, zoneList, children, ...rest }) => {
  const now = useSyncExternalStore(
    (watcher) => { watchers.add(watcher); return () => watchers.delete(watcher); },
    () => sending,
    () => null,
  );
  const form = useRef(null);
  const button = useRef(null);
  const [over, setOver] = useState(false);
  const cancelled = useRef(false);
  const busy = now !== null;

  useEffect(() => {
    const heard = { begun: onBegun, sent: onSent, refused: onRefused, cut: onCut };
    tell = (kind, what) => heard[kind](...what);
    told.splice(0).forEach(([kind, what]) => tell(kind, what));
    return () => { tell = null; };
  });
  useEffect(() => {
    const list = document.getElementById(zoneList);
    if (!list || list.children.length || !Intl.supportedValuesOf) return;
    list.append(...["UTC", ...Intl.supportedValuesOf("timeZone")].map((name) => new Option(name, name)));
  }, [zoneList]);
  useEffect(() => {
    // The button that had the focus is gone with what it was for.
    if (!busy && cancelled.current) {
      cancelled.current = false;
      button.current?.focus();
    }
  }, [busy]);

  const submit = (event) => {
    event.preventDefault();
    if (sending) return;
    const input = document.getElementById(fileInput);
    const files = [...input.files];
    const fields = new FormData(form.current);
    const token = fields.get("csrf_token");
    fields.delete("csrf_token");
    sendAll(files, [...fields].filter(([, value]) => typeof value === "string"), token);
    input.value = "";
  };
  const cancel = () => {
    cancelled.current = true;
    sending?.request.abort();
  };
  const dragged = (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    setOver(true);
  };
  const dropped = (event) => {
    event.preventDefault();
    setOver(false);
    if (event.dataTransfer.files.length) { document.getElementById(fileInput).files = event.dataTransfer.files; }
  };

  return h(
    "form",
    {
      ...rest, ref: form, method: "post", action: "/upload/form", encType: "multipart/form-data", onSubmit: submit,
      onDragOver: dragged, onDragLeave: () => setOver(false), onDrop: dropped, "data-over": over ? "" : undefined,
    },
    children,
    now && h(Progress, { now }),
    h(
      "div",
      { className: "wr-row" },
      h("button", { ref: button, type: "submit", "aria-disabled": busy || undefined,
        className: `wr-button wr-button-primary${busy ? " wr-button-off" : ""}` }, busy ? "Sending…" : "Import"),
      busy && h("button", { type: "button", onClick: cancel, className: "wr-button wr-button-plain" }, "Cancel sending"),
    ),
  );
};
