// Announces the session's end before it comes: five minutes and one minute before, each once.
//
// There are two ends: the session's own, which nothing moves, and that of an idle limit, which activity moves. The page
// gives both as time left. Nothing is polled: a timer runs to the next announcement, and only then the server is asked
// whether the end has moved, as by another tab.
(() => {
  const MINUTE = 60_000;
  const STEPS = [5 * MINUTE, MINUTE];
  const SETTLE = 3000; // a page that was just opened has not counted as activity yet
  const FURTHEST = 2 ** 31 - 1; // of a browser's timer
  const ends = { session: Infinity, idle: Infinity };
  const said = { session: Infinity, idle: Infinity }; // the smallest step announced
  const seen = { session: Infinity, idle: 0 }; // the most time left that was known: an end is announced when it comes near
  let timer, ticker, given = "";

  const left = (kind) => ends[kind] - Date.now();
  const nearer = () => (ends.idle < ends.session ? "idle" : "session");
  const path = () => location.pathname + location.search;
  const leave = () => {
    window.wrDrafts?.forgetAll();
    location.replace("/login?then=" + encodeURIComponent(path()));
  };
  // The token shows that the request is this page's own; whose session has ended gets none, and that is the answer.
  const ask = async (operation) => {
    const token = await fetch("/auth/csrf");
    if (!token.ok) { return token; }
    const headers = { "X-CSRF-Token": (await token.json()).csrf_token };
    return fetch(`/api/v1/${operation}`, { method: "POST", headers });
  };
  const take = (times) => {
    const begin = Date.now();
    const now = Date.parse(times.now);
    set("session", begin + Date.parse(times.ends_at) - now);
    set("idle", times.idle_ends_at ? begin + Date.parse(times.idle_ends_at) - now : Infinity);
  };
  const set = (kind, end) => {
    ends[kind] = end;
    seen[kind] = Math.max(seen[kind], left(kind));
    // The end has moved away: what was announced of it no longer holds.
    if (left(kind) > said[kind]) { said[kind] = Infinity; }
  };

  const words = (span) => {
    const minutes = Math.round(span / MINUTE);
    if (span >= MINUTE * 0.95) { return minutes === 1 ? "1 minute" : `${minutes} minutes`; }
    return `${Math.max(0, Math.ceil(span / 1000))} seconds`;
  };
  const due = (kind) => STEPS.find((step, i) => left(kind) <= step && left(kind) > (STEPS[i + 1] ?? 0)
    && said[kind] > step && seen[kind] > step);

  const announce = (kind) => {
    const idle = kind === "idle";
    const why = idle ? "Without activity your session ends in" : "Whatever you do, your session ends in";
    const after = idle ? "" : " Finish what you are typing before you sign in again.";
    const again = { label: "Sign in again", href: "/login?then=" + encodeURIComponent(path()) };
    const draw = () => window.wrNotices.show("session", {
      kind: "clock", text: `${why} ${words(left(kind))}.${after}`, live: spoken, urgent: said[kind] <= MINUTE,
      actions: [idle ? { label: "Stay signed in", run: stay } : again],
    });
    const spoken = `${why} ${words(left(kind))}. ${idle ? "Stay signed in?" : "You can sign in again."}`;
    draw();
    clearInterval(ticker);
    ticker = setInterval(draw, left(kind) > MINUTE * 1.5 ? 15_000 : 1000);
  };
  const calm = () => {
    clearInterval(ticker);
    window.wrNotices.hide("session");
  };

  const stay = async () => {
    const answer = await ask("sessions.extend").catch(() => null);
    if (answer?.status === 401) { leave(); return; }
    if (!answer?.ok) { window.wrNotices.say("That did not work. Try again.", true); return; }
    take(await answer.json());
    calm();
    window.wrNotices.say("You stay signed in.", false);
    document.getElementById("main")?.focus({ preventScroll: true });
    plan();
  };

  // At a step, or at the end: the server knows best.
  const check = async () => {
    const answer = await ask("me.read").catch(() => null);
    if (answer?.status === 401) { leave(); return; }
    if (answer?.ok) { take((await answer.json()).session); }
    const kind = nearer();
    if (left(kind) <= 0) { leave(); return; }
    const step = due(kind);
    if (step) { said[kind] = step; announce(kind); } else if (said[kind] === Infinity) { calm(); }
    plan();
  };
  const plan = () => {
    clearTimeout(timer);
    const kind = nearer();
    if (ends[kind] === Infinity) { return; }
    const next = STEPS.find((step) => said[kind] > step && left(kind) > step) ?? 0;
    const wait = due(kind) ? SETTLE : Math.max(left(kind) - next, 0) + 200;
    timer = setTimeout(check, Math.min(wait, FURTHEST));
  };

  // The page's own code calls this with what the server said when the page was loaded.
  window.wrSession = (mark, session, idle) => {
    const told = `${mark} ${session} ${idle}`;
    if (!mark || told === given) { return; } // the same frame drawn anew: the time has gone on since
    given = told;
    set("session", Date.now() + session);
    set("idle", idle < 0 ? Infinity : Date.now() + idle);
    if (said[nearer()] === Infinity) { calm(); }
    plan();
  };
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") { plan(); } // timers stand still while a machine sleeps
  });
})();
