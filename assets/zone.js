// Offers the browser's own time zone: a button with data-zone-for="field id" shows it, and fills it into the field.
(() => {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const offer = (button) => {
    const field = document.getElementById(button.dataset.zoneFor);
    if (!zone || !field || button.dataset.zone === zone) { return; }
    button.dataset.zone = zone;
    button.append(`: ${zone}`);
    button.hidden = false;
    button.addEventListener("click", () => { field.value = zone; field.focus(); });
  };
  const look = (node) => { if (node instanceof Element) { node.querySelectorAll("[data-zone-for]").forEach(offer); } };
  new MutationObserver((changes) => changes.forEach((change) => change.addedNodes.forEach(look)))
    .observe(document.documentElement, { childList: true, subtree: true });
})();
