// Says when the connection is lost and when it is back, and when the server runs a newer version than this page.
(() => {
  const BACK_SHOWN = 5000;
  let lost = false;
  let timer;

  const version = async () => {
    const mine = document.getElementById("wr-session")?.dataset.build;
    let theirs = "";
    try { theirs = (await (await fetch("/version.json", { cache: "no-store" })).json()).build; } catch { return; }
    if (!mine || !theirs || mine === theirs) { return; }
    window.wrNotices.show("version", {
      kind: "new", text: "A new version is running. What you have typed is kept.",
      live: "A new version is running: reload the page.",
      actions: [{ label: "Reload", run: () => location.reload() }],
    });
  };

  // `failures`: how often in a row the page has failed to connect; the page's own code tells it.
  window.wrConnection = (failures) => {
    window.wrNotices.ready();
    clearTimeout(timer);
    if (failures > 0) {
      lost = true;
      window.wrNotices.show("connection", {
        kind: "wait", text: "Connection lost. Reconnecting… What you type is kept.",
        live: "Connection lost. Reconnecting.",
      });
    } else if (lost) {
      lost = false;
      window.wrNotices.show("connection", { kind: "done", text: "Connected again.", live: "Connected again." });
      timer = setTimeout(() => window.wrNotices.hide("connection"), BACK_SHOWN);
      version();
    }
  };
})();
