// Notices about the page itself, at its lower edge: the connection, a new version, the session's end.
//
// wrNotices.show(name, { kind, text, live, actions }) puts one up or changes it; hide(name) takes it away. `kind` is one
// of the icons below. `live` is said to a screen reader once, as soon as it changes; the visible text is not read again.
(() => {
  const ICONS = {
    wait: "M2 8.8a15 15 0 0 1 20 0M5 12.9a10 10 0 0 1 14 0M8.5 16.4a5 5 0 0 1 7 0M12 20h.01M2 2l20 20",
    done: "M20 6 9 17l-5-5",
    new: "M3 12a9 9 0 0 1 15-6.7L21 8M21 3v5h-5M21 12a9 9 0 0 1-15 6.7L3 16M3 21v-5h5",
    clock: "M12 6v6l4 2M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20",
  };
  const shown = new Map();
  let box = null;

  const part = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) { made.setAttribute(key, value); }
    made.append(...children);
    return made;
  };
  const icon = (kind) => {
    const space = "http://www.w3.org/2000/svg";
    const svg = document.createElementNS(space, "svg");
    const path = document.createElementNS(space, "path");
    const look = {
      width: 16, height: 16, viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", "stroke-width": 2,
      "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true",
    };
    for (const [key, value] of Object.entries(look)) { svg.setAttribute(key, value); }
    path.setAttribute("d", ICONS[kind]);
    svg.append(path);
    return svg;
  };

  // The regions stand in the page before anything is said in them; a change of pages may have taken them away.
  const ready = () => {
    const theme = document.querySelector(".radix-themes");
    if (!theme) { return false; }
    if (!box?.isConnected) {
      box = part("div", { class: "wr-notices" });
      box.append(
        part("div", { role: "status", class: "wr-hidden" }), part("div", { role: "alert", class: "wr-hidden" }),
        part("div", { class: "wr-notices-seen", role: "region", "aria-label": "Connection and session" }),
      );
      theme.append(box);
      shown.forEach(draw);
    }
    return true;
  };
  const draw = (notice, name) => {
    const place = box.lastChild;
    const line = part("div", { class: `wr-notice wr-notice-${notice.kind}`, "data-notice": name },
      icon(notice.kind), part("span", {}, notice.text));
    for (const { label, run, href } of notice.actions ?? []) {
      const action = href ? part("a", { href, class: "wr-link" }, label)
        : part("button", { type: "button", class: "wr-button wr-button-plain" }, label);
      if (run) { action.addEventListener("click", run); }
      line.append(action);
    }
    const old = place.querySelector(`[data-notice="${name}"]`);
    if (old) { old.replaceWith(line); } else { place.append(line); }
  };

  const say = (text, urgent) => { if (ready()) { box.children[urgent ? 1 : 0].textContent = text; } };
  const show = (name, notice) => {
    const before = shown.get(name);
    shown.set(name, notice);
    if (!ready()) { return; }
    if (before && before.kind === notice.kind && before.live === notice.live) {
      // Only the words change: a button that has the focus keeps it.
      const words = box.querySelector(`[data-notice="${name}"] > span`);
      if (words) { words.textContent = notice.text; return; }
    }
    draw(notice, name);
    if (notice.live && notice.live !== before?.live) { say(notice.live, notice.urgent); }
  };
  const hide = (name) => {
    shown.delete(name);
    box?.querySelector(`[data-notice="${name}"]`)?.remove();
  };
  window.wrNotices = { show, hide, say, ready };
})();
