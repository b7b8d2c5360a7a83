// Keeps half-typed text in this tab: over a lost connection, a reload and a new version.
//
// A field takes part by an attribute: data-draft="name". What is typed into it is kept in sessionStorage under the
// session's mark, the path and that name, and put back whenever such a field appears. It is forgotten once the server has
// accepted it, at sign-out, at the session's end, and by the sign-in page. Nothing but what was typed is kept.
(() => {
  const PREFIX = "workreef-draft ";
  const LONGEST = 4000;
  const mark = () => document.getElementById("wr-session")?.dataset.mark || "";
  const here = () => location.pathname.replace(/\/+$/, "") || "/";
  const store = (work) => { try { return work(sessionStorage); } catch { return null; } }; // this browser keeps nothing

  const forgetWhere = (unwanted) => store((kept) => {
    for (const key of Object.keys(kept)) { if (key.startsWith(PREFIX) && unwanted(key)) { kept.removeItem(key); } }
  });
  const forgetAll = () => forgetWhere(() => true);
  const forget = (path, name) => store((kept) => kept.removeItem(`${PREFIX}${mark()} ${path} ${name}`));

  const keep = (event) => {
    const field = event.target;
    if (!field.dataset?.draft || !mark()) { return; }
    const key = `${PREFIX}${mark()} ${here()} ${field.dataset.draft}`;
    store((kept) => (field.value ? kept.setItem(key, field.value.slice(0, LONGEST)) : kept.removeItem(key)));
  };

  const putBack = (field) => {
    if (!mark()) { return; }
    forgetWhere((key) => !key.startsWith(`${PREFIX}${mark()} `)); // another session's
    const text = store((kept) => kept.getItem(`${PREFIX}${mark()} ${here()} ${field.dataset.draft}`));
    if (text === null || field.value === text) { return; }
    field.value = text;
    // The page tells the server what a field holds when it is left.
    field.dispatchEvent(new FocusEvent("focusout", { bubbles: true }));
  };
  const look = (node) => {
    if (!(node instanceof Element)) { return; }
    if (node.matches("[data-draft]")) { putBack(node); }
    node.querySelectorAll("[data-draft]").forEach(putBack);
  };

  window.wrDrafts = { forget, forgetAll };
  if (document.currentScript?.dataset.forget !== undefined) { forgetAll(); return; }
  document.addEventListener("input", keep);
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action") === "/auth/logout") { forgetAll(); }
  }, true);
  new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(look)))
    .observe(document.documentElement, { childList: true, subtree: true });
})();
